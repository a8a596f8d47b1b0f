import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import * as z from 'zod';
import type { Receiver, Verify } from './receivers.ts';

/** A text that a contact wrote to a session. */
export interface Written {
  readonly text: string;
  /** Who wrote it; the order of its texts is that of `seq`. */
  readonly from: string;
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface Endpoint {
  readonly receiver: Receiver;
  readonly hmacKey: string;
  readonly secret: string;
  /** `dead`: never well; `faulty`: badly for a while; `well`: always. */
  readonly fate: 'dead' | 'faulty' | 'well';
  /** Whether it asks for the order of each chat. */
  readonly ordered: boolean;
}

/** Figures of one run; every one of `faults` has to be 0. */
export interface WebhookVerdict {
  readonly faults: {
    /** Texts that never arrived at an endpoint that is not dead, summed over the endpoints. */
    readonly lost: number;
    readonly badSignatures: number;
    /** Texts that came under more than one event id. */
    readonly changedIds: number;
    /** Texts whose first arrival at an ordered endpoint was before that of an earlier one of the same chat. */
    readonly outOfOrder: number;
  };
  readonly written: number;
  readonly delivered: number;
  /** Posts of an event that had been answered well before. */
  readonly again: number;
  readonly tries: number;
}

const bodySchema = z.object({ id: z.string(), event: z.literal('message'), payload: z.object({ body: z.string() }) });

/** Holds what endpoints got against what was written. */
export function judge(written: readonly Written[], endpoints: readonly Endpoint[]): WebhookVerdict {
  const faults = { lost: 0, badSignatures: 0, changedIds: 0, outOfOrder: 0 };
  const byText = new Map(written.map((one) => [one.text, one]));
  const idOf = new Map<string, string>();
  let delivered = 0;
  let again = 0;
  let tries = 0;
  for (const endpoint of endpoints) {
    const arrived = new Set<string>();
    const lastOfChat = new Map<string, number>();
    for (const post of endpoint.receiver.posts) {
      tries += 1;
      if (!post.signed) faults.badSignatures += 1;
      const { id, payload } = bodySchema.parse(JSON.parse(post.raw));
      const known = idOf.get(payload.body);
      if (known !== undefined && known !== id) faults.changedIds += 1;
      idOf.set(payload.body, id);
      if (post.status === null || post.status >= 300) continue;
      if (arrived.has(payload.body)) {
        again += 1;
        continue;
      }
      arrived.add(payload.body);
      const text = byText.get(payload.body);
      if (text === undefined) continue;
      delivered += 1;
      if (endpoint.ordered && text.seq < (lastOfChat.get(text.from) ?? 0)) faults.outOfOrder += 1;
      lastOfChat.set(text.from, text.seq);
    }
    if (endpoint.fate !== 'dead') faults.lost += written.filter(({ text }) => !arrived.has(text)).length;
  }
  return { faults, written: written.length, delivered, again, tries };
}

/** Looks at both signatures, the standard one with somebody else's library. */
export function verifier(hmacKey: string, secret: string): Verify {
  return ({ headers, raw }) => {
    try {
      new Webhook(secret).verify(raw, { ...headers });
    } catch {
      return false;
    }
    return headers['x-webhook-hmac'] === createHmac('sha512', hmacKey).update(raw).digest('hex');
  };
}

/** Milliseconds from writing to arrival, of the texts that were written between two moments. */
export function latencies(
  written: readonly Written[],
  endpoints: readonly Endpoint[],
  [from, to]: readonly [number, number],
): readonly number[] {
  const wanted = new Map(written.filter(({ at }) => at >= from && at < to).map(({ text, at }) => [text, at]));
  return endpoints.flatMap(({ receiver }) => {
    const seen = new Set<string>();
    return receiver.posts.flatMap(({ at, raw, status }) => {
      const { payload } = bodySchema.parse(JSON.parse(raw));
      const writtenAt = wanted.get(payload.body);
      if (writtenAt === undefined || status === null || status >= 300 || seen.has(payload.body)) return [];
      seen.add(payload.body);
      return [at - writtenAt];
    });
  });
}
