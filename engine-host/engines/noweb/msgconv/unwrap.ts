import type { proto } from '@whiskeysockets/baileys';

const MAX_LAYERS = 8;

/** Takes a message out of its wrappers: disappearing, view once, document with caption, copy of an own device, edit… */
export function unwrap(message: proto.IMessage): proto.IMessage {
  let current = message;
  for (let layer = 0; layer < MAX_LAYERS; layer += 1) {
    const inner = innerMessage(current);
    if (!inner) return current;
    current = inner;
  }
  return current;
}

function innerMessage(message: proto.IMessage): proto.IMessage | null | undefined {
  const wrapper =
    message.deviceSentMessage ??
    message.ephemeralMessage ??
    message.viewOnceMessage ??
    message.viewOnceMessageV2 ??
    message.viewOnceMessageV2Extension ??
    message.documentWithCaptionMessage ??
    message.editedMessage ??
    message.associatedChildMessage ??
    message.groupMentionedMessage ??
    message.botInvokeMessage ??
    message.lottieStickerMessage;
  return wrapper?.message;
}
