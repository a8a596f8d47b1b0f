import type { DistrustReason } from '#shared/contracts/session.ts';

/** Whether somebody has shown to be who they say they are; if not, a reason for programs and a sentence for people. */
export type Proof = { readonly proven: true } | Distrust;

export interface Distrust {
  readonly proven: false;
  readonly reason: DistrustReason;
  readonly message: string;
}

export const PROVEN: Proof = { proven: true };

/** @param what is wrong with what the server has shown; part of a sentence */
export function untrustedServer(what: string): Distrust {
  const message = `The server did not prove that it is WhatsApp's: ${what}. It was told nothing, the login is kept, and it is tried again. If it lasts, check the network and the proxies between this host and WhatsApp; if they are in order, look for an update.`;
  return { proven: false, reason: 'server-identity', message };
}

const LATEST_DATE = 8.64e15;

/** @param notBefore @param notAfter milliseconds since 1970 */
export function untimelyServer(notBefore: number, notAfter: number): Distrust {
  const [from, to] = [notBefore, notAfter].map((time) => new Date(Math.min(time, LATEST_DATE)).toISOString());
  const message = `WhatsApp's certificate is valid from ${from} to ${to}, and by this host's clock it is another time. Check the host's clock. The server was told nothing, the login is kept, and it is tried again.`;
  return { proven: false, reason: 'server-identity-clock', message };
}

/** @param what is wrong with what the phone has signed; part of a sentence */
export function unprovenPairing(what: string): Distrust {
  const message = `The answer to the pairing is not from the phone that was shown the code: ${what}. Nothing was linked. Restart the session for a new code, and look at the phone's list of linked devices; if it happens again, check the network.`;
  return { proven: false, reason: 'pairing-unproven', message };
}
