import { chatIdSchema } from '#shared/contracts/commands.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import type { WaMedia, WaMessage } from '#shared/contracts/message.ts';
import type { HostRow, SessionRow } from '#shared/contracts/rows.ts';
import { type Ack, ackName } from '#shared/domain/message-ack.ts';

/** A session's row as the API creates it. */
export function sessionRow(fields: Partial<SessionRow> = {}): SessionRow {
  return {
    name: 'alpha',
    incarnation: 'inc-1',
    engine: 'NOWEB',
    pool: 'socket',
    shard: 'socket-00',
    config: {},
    desired: 'RUNNING',
    createdAt: 1,
    updatedAt: 1,
    status: 'STARTING',
    statuses: [],
    me: null,
    qr: null,
    activityAt: null,
    hostId: null,
    epoch: 0,
    checkpoint: null,
    ...fields,
  };
}

/** A job's row as the API creates it. */
export function jobRow(fields: Partial<JobRow> = {}): JobRow {
  return {
    session: 'alpha',
    jobId: 'job-1',
    incarnation: 'one',
    command: { type: 'sendText', chatId: chatIdSchema.parse('4915100000001@c.us'), text: 'hi' },
    state: 'QUEUED',
    messageId: '3EB0AAAAAAAAAAAAAAAAAA',
    attempts: 0,
    createdAt: 1,
    updatedAt: 1,
    expiresAt: 1_000_000,
    ttl: 4_000_000_000,
    ...fields,
  };
}

export function hostRow(fields: Partial<HostRow> = {}): HostRow {
  return {
    hostId: 'host-1',
    incarnation: 'boot-1',
    pool: 'socket',
    rvn: 1,
    state: 'ACTIVE',
    load: 0,
    startedAt: 1,
    ttl: 4_000_000_000,
    ...fields,
  };
}

export interface MessageFields {
  readonly id: string;
  readonly chatId?: string;
  readonly participant?: string;
  readonly fromMe?: boolean;
  readonly timestamp?: number;
  readonly body?: string;
  readonly ack?: Ack;
  readonly media?: WaMedia;
  readonly _data?: Record<string, unknown>;
}

/** A message of a one-to-one chat or, with `participant`, of a group; `id` is the bare id. */
export function waMessage({ id, ...fields }: MessageFields): WaMessage {
  const { participant } = fields;
  const { chatId = '4915100000001@c.us', fromMe = false, timestamp = 1000, body = `body of ${id}`, ack = 1 } = fields;
  const own = '4915109999999@c.us';
  return {
    id: `${fromMe}_${chatId}_${id}${participant === undefined ? '' : `_${participant}`}`,
    timestamp,
    from: fromMe ? own : chatId,
    fromMe,
    source: 'app',
    to: fromMe ? chatId : own,
    participant: participant ?? null,
    body,
    hasMedia: fields.media !== undefined,
    media: fields.media ?? null,
    ack,
    ackName: ackName(ack),
    vCards: [],
    ...(fields._data !== undefined && { _data: fields._data }),
  };
}
