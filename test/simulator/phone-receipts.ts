import { nowSeconds, primaryOf } from './accounts.ts';
import type { Phone } from './phone.ts';
import { sendAgain } from './phone-sending.ts';
import { routeReceipt } from './receipts.ts';
import {
  attrJid,
  attrText,
  type BinaryNode,
  child,
  node,
  requireBytes,
  requireChild,
  requireJid,
  requireText,
} from './wire/binary-node.ts';
import type { Jid } from './wire/jid.ts';

const KEY_TYPE = Buffer.from([5]);

/** Acknowledges a message to its author: delivered without a type, else read or played. */
export function phoneReceipt(phone: Phone, message: BinaryNode, author: Jid, type?: string): void {
  sendReceipt(phone, requireJid(message, 'from'), author, [requireText(message, 'id')], type);
}

/** A receipt for messages of one author in one chat. */
export function sendReceipt(phone: Phone, chat: Jid, author: Jid, ids: readonly string[], type?: string): void {
  const [id, ...more] = ids;
  if (id === undefined) return;
  const inChat = chat.server === 'g.us' || chat.server === 'broadcast';
  const attrs = {
    id,
    to: inChat ? chat : author,
    participant: inChat ? author : undefined,
    type,
    t: String(nowSeconds()),
  };
  const items = more.map((each) => node('item', { id: each }));
  const content = items.length > 0 ? [node('list', {}, items)] : undefined;
  routeReceipt(phone.server, primaryOf(phone.account), node('receipt', attrs, content));
}

/** Tells the author that a message could not be read, with keys for a new session. */
export function requestRetry(phone: Phone, message: BinaryNode, author: Jid): void {
  const primary = primaryOf(phone.account);
  const id = requireText(message, 'id');
  const from = requireJid(message, 'from');
  const sender = phone.server.accounts.findDevice(author);
  if (sender) phone.store.forgetSession(sender);
  const preKey = phone.freshPreKey();
  const registration = Buffer.alloc(4);
  registration.writeUInt32BE(primary.registrationId);
  const attrs = { id, type: 'retry', to: from, participant: attrJid(message, 'participant') };
  const { signedPreKey } = primary;
  phone.server.stats.retries += 1;
  phone.server.clientLog.asks(phone.account.phone, id);
  routeReceipt(
    phone.server,
    primary,
    node('receipt', { ...attrs, t: String(nowSeconds()) }, [
      node('retry', { count: '1', id, t: attrText(message, 't'), v: '1' }),
      node('registration', {}, registration),
      node('keys', {}, [
        node('type', {}, KEY_TYPE),
        node('identity', {}, primary.identityKey),
        node('key', {}, [node('id', {}, keyId(preKey.id)), node('value', {}, preKey.publicKey)]),
        node('skey', {}, [
          node('id', {}, keyId(signedPreKey.id)),
          node('value', {}, signedPreKey.publicKey),
          node('signature', {}, signedPreKey.signature),
        ]),
      ]),
    ]),
  );
}

/** Sends a message again to the device that could not read it, in a session made from the keys it sent. */
export async function answerRetry(phone: Phone, receipt: BinaryNode, asking: Jid): Promise<void> {
  const sent = phone.sent.get(requireText(receipt, 'id'));
  const device = phone.server.accounts.findDevice(asking);
  if (!sent || !device) return;
  phone.store.forgetSession(device);
  const keys = child(receipt, 'keys');
  if (keys) {
    const preKey = child(keys, 'key');
    const skey = requireChild(keys, 'skey');
    await phone.store.openSession(device, {
      registrationId: device.registrationId,
      identityKey: requireBytes(requireChild(keys, 'identity'), 32),
      signedPreKey: {
        id: requireBytes(requireChild(skey, 'id'), 3).readUIntBE(0, 3),
        publicKey: requireBytes(requireChild(skey, 'value'), 32),
        signature: requireBytes(requireChild(skey, 'signature'), 64),
      },
      ...(preKey
        ? {
            preKey: {
              id: requireBytes(requireChild(preKey, 'id'), 3).readUIntBE(0, 3),
              publicKey: requireBytes(requireChild(preKey, 'value'), 32),
            },
          }
        : {}),
    });
  }
  const count = Number(attrText(requireChild(receipt, 'retry'), 'count') ?? '1');
  await sendAgain(phone, sent, device, count);
}

function keyId(value: number): Buffer {
  const out = Buffer.alloc(3);
  out.writeUIntBE(value, 0, 3);
  return out;
}
