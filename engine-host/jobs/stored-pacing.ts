import * as z from 'zod';
import { CHAT_SLOTS, type ChatPace, type PacingState, type Slice } from '#shared/domain/pacing-state.ts';
import type { SessionState, StateChange } from '../engines/engine.ts';

/** Keys under `meta/` outlive a login: a pause that WhatsApp has imposed does not end by pairing anew. */
const KEY = 'meta/pacing';

const sliceSchema = z.tuple([z.number(), z.number(), z.number()]);
const headSchema = z.object({
  account: z.string(),
  pairedAt: z.number(),
  sentAt: z.number().nullable(),
  draw: z.number(),
  lastHour: z.array(sliceSchema),
  lastDay: z.array(sliceSchema),
  contents: z.array(z.tuple([z.string(), z.string(), z.number()])),
  restriction: z
    .object({
      cause: z.enum(['refused', 'undelivered']).default('refused'),
      strikes: z.number(),
      at: z.number(),
      until: z.number(),
      endTold: z.boolean().default(false),
    })
    .nullable(),
  parkedUntil: z.number(),
});
const chatsSchema = z.array(z.tuple([z.string(), z.number().nullable(), z.number().nullable(), z.number().nullable()]));

/** What pacing knows of an account. */
export interface AccountPacing {
  /** Short hash of the account's id: another account starts afresh. */
  readonly account: string;
  readonly pacing: PacingState;
}

/** Undefined when nothing (readable) is stored. */
export function readPacing(state: Pick<SessionState, 'get'>): AccountPacing | undefined {
  const head = headSchema.safeParse(parsed(state.get(KEY)));
  if (!head.success) return undefined;
  const { account, lastHour, lastDay, contents, ...rest } = head.data;
  const chats = Array.from({ length: CHAT_SLOTS }, (_, slot) => {
    const stored = chatsSchema.safeParse(parsed(state.get(slotKey(slot))));
    return stored.success ? stored.data.map(chatPace) : [];
  });
  const pacing = {
    ...rest,
    lastHour: lastHour.map(slice),
    lastDay: lastDay.map(slice),
    contents: contents.map(([content, chat, at]) => ({ content, chat, at })),
    chats,
  };
  return { account, pacing };
}

/** The changes that make what is stored say `next`; only the parts that differ from `stored`. */
export function pacingChanges(stored: AccountPacing | undefined, next: AccountPacing): readonly StateChange[] {
  const slots = next.pacing.chats.flatMap((chats, slot) => {
    const before = stored?.account === next.account ? stored.pacing.chats[slot] : undefined;
    if (before === chats || (chats.length === 0 && stored === undefined)) return [];
    const rows = chats.map(({ chat, heardAt, sentAt, freeAt }) => [
      chat,
      heardAt ?? null,
      sentAt ?? null,
      freeAt ?? null,
    ]);
    return [{ key: slotKey(slot), value: encoded(rows) }];
  });
  const head = encodedHead(next);
  const isNews = stored === undefined || !head.equals(encodedHead(stored));
  return isNews ? [{ key: KEY, value: head }, ...slots] : slots;
}

function encodedHead({ account, pacing }: AccountPacing): Buffer {
  const { chats: _chats, lastHour, lastDay, contents, ...rest } = pacing;
  const numbers = ({ start, units, opened }: Slice) => [start, units, opened];
  return encoded({
    account,
    ...rest,
    lastHour: lastHour.map(numbers),
    lastDay: lastDay.map(numbers),
    contents: contents.map(({ content, chat, at }) => [content, chat, at]),
  });
}

function slotKey(slot: number): string {
  return `${KEY}/${slot}`;
}

function slice([start, units, opened]: z.infer<typeof sliceSchema>): Slice {
  return { start, units, opened };
}

function chatPace([chat, heardAt, sentAt, freeAt]: z.infer<typeof chatsSchema>[number]): ChatPace {
  return {
    chat,
    ...(heardAt !== null && { heardAt }),
    ...(sentAt !== null && { sentAt }),
    ...(freeAt !== null && { freeAt }),
  };
}

function encoded(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Undefined where there is nothing, or nothing that can be read. */
function parsed(value: Uint8Array | undefined): unknown {
  if (value === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(value).toString());
  } catch {
    return undefined;
  }
}
