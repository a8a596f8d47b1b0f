import { setTimeout as delay } from 'node:timers/promises';
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { LocalCloud } from '#localstack/embedded/local-cloud.ts';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { BUCKETS, BUS, EVENT_SOURCE } from '#shared/contracts/resources.ts';
import { type Arrival, inboundKey, type Ledger } from './ledger.ts';
import type { Caller } from './patient-caller.ts';

const RULE = 'chaos';
const LOOK_MS = 5_000;
const AT_ONCE = 8;
const LOG_PAGE = 20;

const busEntrySchema = z.object({
  detail: z.object({
    id: z.string(),
    session: z.string(),
    event: z.string(),
    seq: z.number(),
    payload: z.object({ id: z.string().optional(), body: z.string().nullish(), status: z.string().optional() }),
  }),
});

const clientLogSchema = z.array(
  z.object({
    n: z.number(),
    at: z.number(),
    kind: z.enum(['active', 'closed', 'replaced', 'late', 'taken', 'dropped', 'repeat', 'asked', 'reuse']),
    phone: z.string(),
    id: z.string().default(''),
    how: z.string().default(''),
    tag: z.string().default(''),
    silentMs: z.number().default(0),
    first: z.number().default(0),
    last: z.number().default(0),
    asked: z.boolean().default(false),
  }),
);
const inboxSchema = z.array(
  z.object({ n: z.number(), id: z.string(), fromMe: z.boolean(), text: z.string().optional() }),
);
const statsSchema = z.object({ registrations: z.number() });

export interface ObserversOptions {
  readonly cloud: LocalCloud;
  /** The simulator's admin API. */
  readonly whatsapp: Caller;
  readonly ledger: Ledger;
  /** Phones of contacts at the moment. */
  readonly contacts: () => readonly string[];
  /** Session by phone number. */
  readonly sessions: ReadonlyMap<string, string>;
}

/** Looks at what comes out of a run, at all ends: the rule's target, the contacts, the WhatsApp server. */
export class Observers {
  readonly #options: ObserversOptions;
  readonly #stopping = new AbortController();
  readonly #inboxes = new Map<string, number>();
  readonly #log: DynamoDbEventLog;
  readonly #cursors = new Map<string, number>();
  /** Events that the log had, as `session id`. */
  readonly #read = new Set<string>();
  #logged = 0;
  #registrationsBefore = 0;
  #queueUrl = '';
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: ObserversOptions) {
    this.#options = options;
    const { dynamodb, s3 } = options.cloud.clients;
    const media = new S3MediaStore(s3, BUCKETS.media);
    this.#log = new DynamoDbEventLog(DynamoDBDocumentClient.from(dynamodb), media);
  }

  /** To be called when the sessions are paired: pairings from here on are too many. */
  async start(): Promise<void> {
    const { clients } = this.#options.cloud;
    const { QueueUrl = '' } = await clients.sqs.send(new CreateQueueCommand({ QueueName: RULE }));
    this.#queueUrl = QueueUrl;
    const { Attributes } = await clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const EventPattern = JSON.stringify({ source: [EVENT_SOURCE], 'detail-type': ['message', 'session.status'] });
    await clients.eventBridge.send(new PutRuleCommand({ Name: RULE, EventBusName: BUS, EventPattern }));
    const Targets = [{ Id: 'queue', Arn: Attributes?.QueueArn ?? '' }];
    await clients.eventBridge.send(new PutTargetsCommand({ Rule: RULE, EventBusName: BUS, Targets }));
    this.#registrationsBefore = (await this.#stats()).registrations;
    this.#loops = Promise.all([
      this.#while(() => this.#receive(5)),
      this.#while(() => this.#readClientLog(1_000)),
      this.#while(async () => {
        await this.#readInboxes();
        await delay(LOOK_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }),
    ]);
    // Whoever stops them hears of a failure.
    this.#loops.catch(() => {});
  }

  /** Brings the ledger up to what has happened by now. */
  async catchUp(): Promise<void> {
    await this.#readInboxes();
    const { registrations } = await this.#stats();
    this.#options.ledger.pairings = registrations - this.#registrationsBefore;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
  }

  async #while(look: () => Promise<void>): Promise<void> {
    while (!this.#stopping.signal.aborted) await look();
  }

  async #receive(waitSeconds: number): Promise<void> {
    const { clients } = this.#options.cloud;
    const QueueUrl = this.#queueUrl;
    const abortSignal = this.#stopping.signal;
    try {
      const { Messages = [] } = await clients.sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: waitSeconds }),
        { abortSignal },
      );
      if (Messages.length === 0) return;
      for (const { Body } of Messages) {
        const arrived = arrival(Body ?? '');
        this.#options.ledger.arrivals.push(arrived);
        await this.#findInLog(arrived);
      }
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await clients.sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    } catch (error) {
      if (!abortSignal.aborted) throw error;
    }
  }

  /** Goes on in the event log as an event stream does that is woken. */
  async #findInLog({ session, eventId }: Arrival): Promise<void> {
    for (;;) {
      const page = await this.#log.read(session, this.#cursors.get(session) ?? 0, LOG_PAGE);
      for (const { envelope } of page) {
        this.#read.add(inboundKey(session, envelope.id));
        this.#cursors.set(session, envelope.seq);
      }
      if (page.length === 0) break;
    }
    const key = inboundKey(session, eventId);
    if (!this.#read.has(key)) this.#options.ledger.unlogged.push(key);
  }

  async #readClientLog(waitMs: number): Promise<void> {
    const { whatsapp, ledger, sessions } = this.#options;
    const path = `/admin/client-log?since=${this.#logged}&waitMs=${waitMs}`;
    for (const entry of clientLogSchema.parse(await whatsapp.call('GET', path))) {
      if (entry.n !== this.#logged + 1) throw new Error('The simulator has forgotten what was not read yet.');
      this.#logged = entry.n;
      const { kind, at, phone, id, how, first, last, silentMs, tag, asked } = entry;
      if (kind === 'asked') {
        ledger.asked.push(`${phone} ${id}`);
        continue;
      }
      if (kind === 'repeat') {
        if (!sessions.has(phone)) ledger.repeats.push({ phone, id, asked });
        continue;
      }
      const session = sessions.get(phone);
      if (session === undefined) continue;
      if (kind === 'reuse') ledger.reused.push(`${session} ${id}`);
      else if (kind === 'taken') ledger.taken.push({ session, id, how, first, last });
      else if (kind === 'dropped') ledger.dropped.add(inboundKey(session, id));
      else if (kind === 'replaced') ledger.connections.push({ session, at, kind, silentMs });
      else if (kind === 'late') ledger.connections.push({ session, at, kind, tag });
      else ledger.connections.push({ session, at, kind });
    }
  }

  async #readInboxes(): Promise<void> {
    const waiting = [...this.#options.contacts()];
    const worker = async () => {
      for (let phone = waiting.pop(); phone !== undefined; phone = waiting.pop()) await this.#readInbox(phone);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async #readInbox(phone: string): Promise<void> {
    const { whatsapp, ledger } = this.#options;
    const since = this.#inboxes.get(phone) ?? 0;
    const path = `/admin/contacts/${phone}/inbox?since=${since}`;
    for (const { n, id, fromMe, text } of inboxSchema.parse(await whatsapp.call('GET', path))) {
      // The same inbox may be read by two at once.
      if (n <= (this.#inboxes.get(phone) ?? 0)) continue;
      this.#inboxes.set(phone, n);
      if (!fromMe) ledger.decrypted.push({ phone, n, id, text });
    }
  }

  async #stats(): Promise<z.infer<typeof statsSchema>> {
    return statsSchema.parse(await this.#options.whatsapp.call('GET', '/admin/stats'));
  }
}

function arrival(body: string): Arrival {
  const { detail } = busEntrySchema.parse(JSON.parse(body));
  const { id: eventId, session, event, seq, payload } = detail;
  const messageId = event === 'message' ? payload.id?.split('_')[2] : undefined;
  return {
    session,
    event,
    eventId,
    seq,
    ...(messageId === undefined ? {} : { messageId, text: payload.body ?? null }),
    ...(payload.status === undefined || event !== 'session.status' ? {} : { status: payload.status }),
  };
}
