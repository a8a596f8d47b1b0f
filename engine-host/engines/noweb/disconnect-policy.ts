import type { DistrustReason } from '#shared/contracts/session.ts';
import type { FailureReason } from '../engine.ts';

/** Why a socket closed: Baileys' status code and sentence. */
export interface Disconnect {
  readonly code: number | undefined;
  readonly message: string;
  /** It was closed by us, because the other side had not proved who it is. */
  readonly distrust?: DistrustReason;
}

export interface Situation {
  /** The server has accepted a login with these credentials before. */
  readonly hasLoggedIn: boolean;
  /** Conflicts in a row that were answered with a wait. */
  readonly conflicts: number;
  readonly maxConflicts: number;
}

export type NextStep =
  | { readonly kind: 'reconnect' }
  | { readonly kind: 'back-off'; readonly reason: string }
  | { readonly kind: 'wait-for-conflict' }
  /** What is there now is not WhatsApp: keep the login, say so, and look again much later. */
  | { readonly kind: 'be-wary'; readonly reason: DistrustReason; readonly message: string }
  /** The server does not know this device although a pairing had begun: start over with a new QR code. */
  | { readonly kind: 'pair-anew' }
  | { readonly kind: 'fail'; readonly reason: FailureReason; readonly message: string };

/** Another connection uses the same login. */
export const REPLACED = 440;

/** What to do after a socket has closed. */
export function nextStep({ code, message, distrust }: Disconnect, situation: Situation): NextStep {
  if (distrust === 'pairing-unproven') return { kind: 'fail', reason: distrust, message };
  if (distrust !== undefined) return { kind: 'be-wary', reason: distrust, message };
  switch (code) {
    case 515:
      return { kind: 'reconnect' };
    case 401:
      return situation.hasLoggedIn
        ? { kind: 'fail', reason: 'logged-out', message: 'The device was unlinked on the phone. Pair it again.' }
        : { kind: 'pair-anew' };
    case 403:
      return { kind: 'fail', reason: 'banned', message: 'WhatsApp has blocked this account.' };
    case 405:
      return { kind: 'fail', reason: 'client-outdated', message: 'WhatsApp no longer accepts this client version.' };
    case REPLACED:
      return situation.conflicts < situation.maxConflicts
        ? { kind: 'wait-for-conflict' }
        : {
            kind: 'fail',
            reason: 'conflict',
            message: 'Another program keeps connecting as this linked device. Stop it, then restart the session.',
          };
    case 408:
      return /QR refs/i.test(message) ? QR_EXPIRED : { kind: 'back-off', reason: 'connection-lost' };
    case 428:
      return { kind: 'back-off', reason: 'connection-closed' };
    case 503:
      return { kind: 'back-off', reason: 'service-unavailable' };
    default:
      return { kind: 'back-off', reason: code === undefined ? 'disconnected' : `disconnected-${code}` };
  }
}

export const QR_EXPIRED: NextStep & { readonly kind: 'fail' } = {
  kind: 'fail',
  reason: 'qr-expired',
  message: 'No phone scanned the QR code in time. Restart the session to get a new one.',
};
