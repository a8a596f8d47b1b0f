import * as z from 'zod';
import { PAIRING_FLAWS } from './device-identity.ts';
import { IDENTITY_FLAWS } from './wire/false-identity.ts';

/**
 * A fault the simulator commits on purpose. `match` narrows it to a phone, a device or a stanza tag;
 * `count` is how often it strikes before it is used up (default: until deleted).
 *
 * * cut: terminate the socket of matching devices at once, or, with `match.tag`, when such a stanza is to be delivered
 * * delay: hold matching deliveries back by `ms`; duplicate: deliver twice; drop: lose the delivery for good
 * * nack: answer a client's message with `code` instead of delivering it
 * * stream-error: send `<stream:error code>` to matching connections and close them at once
 * * refuse-login: answer the next logins with `<failure reason=code>`
 * * false-identity: show the next connections certificates with the flaw `identity`; `match` must be empty, since nobody
 *   has said yet who he is
 * * false-pairing: link the next client of a phone with the flaw `pairing`
 * * false-prekeys: hand out bundles of matching devices whose signed prekey somebody else has signed
 * * stall-media: give the first half of a file and then nothing; `match` must be empty
 * * drop-media: lose a file for good when it is asked for, and say so with `code` (404 by default); `match` must be empty
 * * break-upload: take a file, begin the answer and end the connection; `match` must be empty
 * * mute-pings: leave `w:p` iqs unanswered; swallow: take a client's message and do nothing, not even answer
 */
export const faultSchema = z.object({
  kind: z.enum([
    'cut',
    'delay',
    'duplicate',
    'drop',
    'nack',
    'stream-error',
    'refuse-login',
    'false-identity',
    'false-pairing',
    'false-prekeys',
    'stall-media',
    'drop-media',
    'break-upload',
    'mute-pings',
    'swallow',
  ]),
  match: z
    .object({ phone: z.string().optional(), device: z.number().int().optional(), tag: z.string().optional() })
    .default({}),
  count: z.number().int().positive().optional(),
  code: z.number().int().optional(),
  ms: z.number().int().nonnegative().optional(),
  identity: z.enum(IDENTITY_FLAWS).default('root'),
  pairing: z.enum(PAIRING_FLAWS).default('signature'),
});

export type Fault = z.infer<typeof faultSchema>;
export type FaultInput = z.input<typeof faultSchema>;

interface Target {
  readonly phone: string;
  readonly device: number;
  readonly tag?: string;
}

export class FaultTable {
  #faults: { fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.count ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#faults = [];
  }

  list(): readonly Fault[] {
    return this.#faults.map(({ fault }) => fault);
  }

  /** The first fault of this kind that matches, using one of its strikes up. */
  strike(kind: Fault['kind'], target: Target): Fault | undefined {
    if (this.#faults.length === 0) return undefined;
    const entry = this.#faults.find(({ fault }) => fault.kind === kind && matches(fault, target));
    if (!entry) return undefined;
    entry.left -= 1;
    if (entry.left <= 0) this.#faults = this.#faults.filter((other) => other !== entry);
    return entry.fault;
  }
}

/** Whether a fault concerns this phone, device and tag. */
export function matches({ match }: Fault, target: Target): boolean {
  return (
    (match.phone === undefined || match.phone === target.phone) &&
    (match.device === undefined || match.device === target.device) &&
    (match.tag === undefined || target.tag === undefined || match.tag === target.tag)
  );
}
