import type { BinaryNode } from '@whiskeysockets/baileys';
import type { EngineEvent, StateChange } from '../engine.ts';
import type { CallStep } from './happening.ts';
import { type LookUpOther, resolveAddress } from './ids.ts';
import type { MarkedState } from './marked-state.ts';
import { secondsOf } from './server-acks.ts';

const PREFIX = 'call/';
/** Calls whose end is never told are forgotten when so many newer ones have come. */
const MOST = 32;
const EVENTS = {
  offer: 'call.received',
  accept: 'call.accepted',
  reject: 'call.rejected',
  timeout: 'call.rejected',
  terminate: 'call.rejected',
} as const;

interface OpenCall {
  readonly video: boolean;
  readonly group: boolean;
}

/**
 * Calls that ring. Only the offer says what kind of call it is, and only this tells whether an end is that of a call
 * nobody has taken, so it is kept in the session's state.
 */
export class Calls {
  readonly #open = new Map<string, OpenCall>();

  constructor(state: Pick<MarkedState, 'keys' | 'get'>) {
    const kept = state.keys(PREFIX).map((key) => ({ id: key.slice(PREFIX.length), ...decode(state.get(key)) }));
    for (const { id, video, group } of kept.sort((a, b) => a.since - b.since)) this.#open.set(id, { video, group });
  }

  /** @returns what a `call` stanza says, and the changes that belong into its record; undefined when it makes no event */
  take({ attrs, content }: BinaryNode): { readonly step: CallStep; readonly alongside: StateChange[] } | undefined {
    const [info] = Array.isArray(content) ? content : [];
    const id = info?.attrs['call-id'];
    const status = info && statusOf(info);
    if (info === undefined || id === undefined || status === undefined) return undefined;
    const { from = '' } = attrs;
    const known = this.#open.get(id);
    // The end of a call that somebody has taken or refused says nothing new.
    if (known === undefined && (status === 'terminate' || status === 'timeout')) return undefined;
    const call = status === 'offer' ? offered(info) : (known ?? { video: false, group: false });
    const timestamp = secondsOf(attrs.t);
    const phone = info.attrs.caller_pn;
    const step: CallStep = {
      kind: 'call',
      id,
      status,
      from: info.attrs['call-creator'] ?? info.attrs.from ?? from,
      ...(phone !== undefined && { phone }),
      chat: from,
      timestamp,
      ...call,
    };
    return { step, alongside: status === 'offer' ? this.#ring(id, call, timestamp) : this.#end(id) };
  }

  #ring(id: string, call: OpenCall, since: number): StateChange[] {
    this.#open.set(id, call);
    const changes: StateChange[] = [{ key: `${PREFIX}${id}`, value: encode(call, since) }];
    const [oldest] = this.#open.keys();
    if (this.#open.size > MOST && oldest !== undefined) changes.push(...this.#end(oldest));
    return changes;
  }

  #end(id: string): StateChange[] {
    return this.#open.delete(id) ? [{ key: `${PREFIX}${id}`, value: null }] : [];
  }
}

/** In WAHA's terms. A call that ends before anybody takes it counts as rejected; `_data.status` says how it ended. */
export async function toCallEvent(step: CallStep, lookUp: LookUpOther): Promise<EngineEvent> {
  const { id, status, from, phone, chat, timestamp, video, group } = step;
  const caller = await resolveAddress(from, phone, lookUp);
  const payload = {
    id,
    from: caller?.id ?? from,
    timestamp,
    isVideo: video,
    isGroup: group,
    _data: { status, chat: (await resolveAddress(chat, undefined, lookUp))?.id ?? chat, lid: caller?.lid ?? null },
  };
  return { body: { event: EVENTS[status], payload }, key: `${id}_${status}`, timestamp: timestamp * 1000 };
}

function statusOf({ tag, attrs }: BinaryNode): CallStep['status'] | undefined {
  switch (tag) {
    case 'offer':
    case 'offer_notice':
      return 'offer';
    case 'accept':
    case 'reject':
      return tag;
    case 'terminate':
      return attrs.reason === 'timeout' ? 'timeout' : 'terminate';
    default:
      return undefined;
  }
}

function offered({ attrs, content }: BinaryNode): OpenCall {
  const video = Array.isArray(content) && content.some(({ tag }) => tag === 'video');
  return { video, group: attrs.type === 'group' || attrs['group-jid'] !== undefined };
}

function encode({ video, group }: OpenCall, since: number): Uint8Array {
  const value = Buffer.alloc(5);
  value.writeUInt32LE(since);
  value[4] = (video ? 1 : 0) | (group ? 2 : 0);
  return value;
}

function decode(value: Uint8Array | undefined): OpenCall & { readonly since: number } {
  const bytes = Buffer.from(value ?? Buffer.alloc(5));
  const flags = bytes[4] ?? 0;
  return { since: bytes.readUInt32LE(), video: (flags & 1) !== 0, group: (flags & 2) !== 0 };
}
