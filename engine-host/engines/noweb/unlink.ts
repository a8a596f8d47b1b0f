import { S_WHATSAPP_NET, type WASocket } from '@whiskeysockets/baileys';

const ANSWER_TIMEOUT_MS = 5_000;

/** Asks the server to remove this linked device, and waits for its answer: closing at once could lose the request. */
export async function unlink(sock: WASocket): Promise<void> {
  const jid = sock.user?.id;
  if (!jid) return;
  await sock.query(
    {
      tag: 'iq',
      attrs: { to: S_WHATSAPP_NET, type: 'set', xmlns: 'md' },
      content: [{ tag: 'remove-companion-device', attrs: { jid, reason: 'user_initiated' } }],
    },
    ANSWER_TIMEOUT_MS,
  );
}
