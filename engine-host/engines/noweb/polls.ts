import { proto } from '@whiskeysockets/baileys';
import * as z from 'zod';
import type { StateChange } from '../engine.ts';
import { shortHash } from './heard.ts';
import type { MarkedState } from './marked-state.ts';
import { pollOf } from './msgconv/poll.ts';
import { unwrap } from './msgconv/unwrap.ts';
import { pack, unpack } from './packed-json.ts';

const PREFIX = 'poll/';
/** Votes on older polls are read with what the read model has of them. */
const MOST = 128;
/** WhatsApp allows 12 options of 100 characters; their sender's device is what counts them. */
const LONGEST = 4_096;

/** What it takes to read the votes on a poll. */
export interface Poll {
  readonly secret: Uint8Array;
  readonly options: readonly string[];
  /** Addresses of whoever made it, as far as its stanza named them. */
  readonly authors: readonly string[];
}

const pollSchema = z.object({
  number: z.int(),
  secret: z.instanceof(Uint8Array),
  options: z.array(z.string()),
  authors: z.array(z.string()),
});

/**
 * The newest polls of a session, in its state: a vote may come before the read model has its poll, and after the host that
 * received the poll is gone. Written in the record of the message itself.
 */
export class Polls {
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

  find(id: string): Poll | undefined {
    return read(this.#state.get(keyOf(id)));
  }

  /**
   * @param authors addresses of whoever sent the message
   * @returns the changes that keep a message's poll; none where it opens none. Nobody replaces a poll by using its id again
   */
  keep(id: string | undefined, message: proto.IMessage, authors: readonly string[]): readonly StateChange[] {
    const poll = pollIn(message, authors);
    if (!id || !poll || poll.options.join().length > LONGEST) return [];
    const key = keyOf(id);
    if (this.#kept.has(key)) return [];
    this.#kept.add(key);
    const changes: StateChange[] = [{ key, value: pack({ number: this.#next, ...poll }) }];
    this.#next += 1;
    const [oldest] = this.#kept;
    if (this.#kept.size > MOST && oldest !== undefined) {
      this.#kept.delete(oldest);
      changes.push({ key: oldest, value: null });
    }
    return changes;
  }
}

/** The poll in a message that was kept elsewhere. */
export function pollInContent(content: Uint8Array): Poll | undefined {
  return pollIn(proto.Message.decode(content), []);
}

function pollIn(message: proto.IMessage, authors: readonly string[]): Poll | undefined {
  const inner = unwrap(message);
  const poll = pollOf(inner);
  const context = inner.messageContextInfo ?? message.messageContextInfo;
  const secret = context?.messageSecret;
  if (!poll || !secret?.length) return undefined;
  return { secret, options: (poll.options ?? []).map(({ optionName }) => optionName ?? ''), authors };
}

function read(value: Uint8Array | undefined): z.infer<typeof pollSchema> | undefined {
  return value && pollSchema.parse(unpack(value));
}

/** A message's id is its sender's choice, of any length. */
function keyOf(id: string): string {
  return `${PREFIX}${shortHash(id).toString('base64url')}`;
}
