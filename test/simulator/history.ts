import { deflateSync } from 'node:zlib';
import { proto } from '@whiskeysockets/baileys';
import { type Device, messageId, nowSeconds, pnJid, primaryOf } from './accounts.ts';
import { routeMessage } from './messages.ts';
import type { Phone } from './phone.ts';
import { encryptedFor } from './phone-sending.ts';
import { node } from './wire/binary-node.ts';

const { HistorySyncType } = proto.HistorySync;

/** What a phone sends to a client that was just linked: the app-state key, then an all but empty history. */
export async function introduceDevice(phone: Phone, device: Device): Promise<void> {
  await sendPeer(phone, device, {
    type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE,
    appStateSyncKeyShare: {
      keys: [
        {
          keyId: { keyId: phone.appStateKey.id },
          keyData: {
            keyData: phone.appStateKey.data,
            fingerprint: { rawId: 1, currentIndex: 0, deviceIndexes: [0] },
            timestamp: nowSeconds(),
          },
        },
      ],
    },
  });
  await sendHistory(phone, device, HistorySyncType.INITIAL_BOOTSTRAP, {});
  await sendHistory(phone, device, HistorySyncType.RECENT, { progress: 100 });
  const pushnames = [...phone.server.accounts.all()]
    .filter((account) => account.name !== '' && (account === phone.account || account.devices.size === 1))
    .slice(0, 100)
    .map(({ phone: number, name }) => ({ id: `${number}@s.whatsapp.net`, pushname: name }));
  await sendHistory(phone, device, HistorySyncType.PUSH_NAME, { pushnames });
}

async function sendHistory(
  phone: Phone,
  device: Device,
  syncType: proto.HistorySync.HistorySyncType,
  content: { progress?: number; pushnames?: proto.IPushname[] },
): Promise<void> {
  const history = proto.HistorySync.encode({ syncType, conversations: [], ...content }).finish();
  await sendPeer(phone, device, {
    type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
    historySyncNotification: {
      syncType,
      chunkOrder: 1,
      ...(content.progress === undefined ? {} : { progress: content.progress }),
      initialHistBootstrapInlinePayload: deflateSync(history),
    },
  });
}

async function sendPeer(phone: Phone, device: Device, protocolMessage: proto.Message.IProtocolMessage): Promise<void> {
  const enc = await encryptedFor(phone, device, { protocolMessage });
  const attrs = { id: messageId(), to: pnJid(phone.account, device.id), type: 'text', category: 'peer' };
  routeMessage(phone.server, primaryOf(phone.account), node('message', attrs, [enc]), nowSeconds());
}
