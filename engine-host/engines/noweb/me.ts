import { type AuthenticationCreds, areJidsSameUser } from '@whiskeysockets/baileys';
import type { Me } from '#shared/contracts/session.ts';
import { jidToChatId } from './ids.ts';
import type { OwnAddresses } from './rebuild-message.ts';

/** Stands for the name while a pairing code is waiting to be entered. */
const NO_NAME = '~';

/** The account behind the credentials; undefined before it is paired. */
export function meOf({ me }: AuthenticationCreds): Me | undefined {
  const id = jidToChatId(me?.id);
  if (!me || !id) return undefined;
  return {
    id,
    pushName: me.name === undefined || me.name === NO_NAME ? null : me.name,
    lid: jidToChatId(me.lid) ?? null,
    jid: me.id,
  };
}

/** Whether a JID is the account's own, or one of its devices', under either of its addresses. */
export function isMe(jid: string | undefined, me: OwnAddresses): boolean {
  return areJidsSameUser(jid, me.id) || (me.lid !== '' && areJidsSameUser(jid, me.lid));
}
