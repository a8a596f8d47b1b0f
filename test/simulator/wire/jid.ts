import { WireError } from './wire-error.ts';

/** A WhatsApp address. `device` is present only when it is not 0 (the phone); `user` is empty for the server itself. */
export interface Jid {
  readonly user: string;
  readonly server: string;
  readonly device?: number;
}

/** Builds an address; device 0 and no device are the same thing. */
export function jid(user: string, server: string, device?: number): Jid {
  return device ? { user, server, device } : { user, server };
}

/** The address of the WhatsApp server, which clients accept only in this form (empty user). */
export const SERVER_JID: Jid = jid('', 's.whatsapp.net');

const DEVICE = /^\d{1,5}$/;

/**
 * Parses `user:device@server`, `user@server` and `@server`.
 * @throws WireError when there is no `@`, no server, or a device that is no number.
 */
export function parseJid(text: string): Jid {
  const at = text.indexOf('@');
  const server = text.slice(at + 1);
  if (at < 0 || server === '' || server.includes('@')) throw new WireError('a JID must have the form user@server');
  const [user = '', device, ...rest] = text.slice(0, at).split(':');
  if (rest.length > 0 || (device !== undefined && !DEVICE.test(device))) {
    throw new WireError('the device of a JID must be a number');
  }
  return jid(user, server, Number(device ?? 0));
}

export function formatJid(address: Jid): string {
  return `${address.user}${address.device ? `:${address.device}` : ''}@${address.server}`;
}
