import { proto } from '@whiskeysockets/baileys';
import * as z from 'zod';
import type { StateChange } from '../engine.ts';
import { shortHash } from './heard.ts';
import type { MarkedState } from './marked-state.ts';
import { pollOf } from './msgconv/poll.ts';
import { unwrap } from './msgconv/unwrap.ts';
import { pack, unpack } from './packed-json.ts';

/** Named when polls were the only ones. */
const PREFIX = 'poll/';
/** Answers to older messages are read with what the read model has of those. */
const MOST = 128;
/** WhatsApp allows 12 options of 100 characters; their sender's device is what counts them. */
const LONGEST = 4_096;

/** What it takes to read the answers to a message: the votes on a poll, the responses to a calendar event. */
export interface MessageSecret {
  readonly secret: Uint8Array;
  /** A poll's. */
  readonly options: readonly string[];
  /** Addresses of whoever made it, as far as its stanza named them. */
  readonly authors: readonly string[];
}

const keptSchema = z.object({
  number: z.int(),
  secret: z.instanceof(Uint8Array),
  options: z.array(z.string()),
  authors: z.array(z.string()),
});

/**
 * The secrets of a session's newest polls and calendar events, in its state: an answer may come before the read model has
 * what it answers, and after the host that received that is gone. Written in the record of the message itself.
 */
export class MessageSecrets {
  readonly #state: Pick<MarkedState, 'get' | 'keys'>;
  /** Oldest first. */
  readonly #kept = new Set<string>();
  #next = 1;

  constructor(state: Pick<MarkedState, 'get' | 'keys'>) {
    this.#state = state;
    const kept = state.keys(PREFIX).map((key) => ({ key, number: read(state.get(key))?.number ?? 0 }));
    for (const { key, number } of kept.sort((a, b) => a.number - b.number)) {
      this.#kept.add(key);
      this.#next = number + 1;
    }
  }

  find(id: string): MessageSecret | undefined {
    return read(this.#state.get(keyOf(id)));
  }

  /**
   * @param authors addresses of whoever sent the message
   * @returns the changes that keep a message's secret; none where there is nothing to answer. Nobody replaces one by using
   *   its message's id again
   */
  keep(id: string | undefined, message: proto.IMessage, authors: readonly string[]): readonly StateChange[] {
    const found = secretIn(message, authors);
    if (!id || !found || found.options.join().length > LONGEST) return [];
    const key = keyOf(id);
    if (this.#kept.has(key)) return [];
    this.#kept.add(key);
    const changes: StateChange[] = [{ key, value: pack({ number: this.#next, ...found }) }];
    this.#next += 1;
    const [oldest] = this.#kept;
    if (this.#kept.size > MOST && oldest !== undefined) {
      this.#kept.delete(oldest);
      changes.push({ key: oldest, value: null });
    }
    return changes;
  }
}

/** The secret in a message that was kept elsewhere. */
export function secretInContent(content: Uint8Array): MessageSecret | undefined {
  return secretIn(proto.Message.decode(content), []);
}

function secretIn(message: proto.IMessage, authors: readonly string[]): MessageSecret | undefined {
  const inner = unwrap(message);
  const poll = pollOf(inner);
  const context = inner.messageContextInfo ?? message.messageContextInfo;
  const secret = context?.messageSecret;
  if (!(poll || inner.eventMessage) || !secret?.length) return undefined;
  return { secret, options: (poll?.options ?? []).map(({ optionName }) => optionName ?? ''), authors };
}

function read(value: Uint8Array | undefined): z.infer<typeof keptSchema> | undefined {
  return value && keptSchema.parse(unpack(value));
}

/** A message's id is its sender's choice, of any length. */
function keyOf(id: string): string {
  return `${PREFIX}${shortHash(id).toString('base64url')}`;
}
