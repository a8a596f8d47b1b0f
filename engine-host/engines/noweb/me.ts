import type { AuthenticationCreds } from '@whiskeysockets/baileys';
import type { Me } from '#shared/contracts/session.ts';
import { jidToChatId } from './ids.ts';

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
