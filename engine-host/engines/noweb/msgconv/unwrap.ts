import type { proto } from '@whiskeysockets/baileys';

const MAX_LAYERS = 8;

/**
 * Takes a message out of its wrappers: disappearing, view once, document with caption, copy of an own device, edit…
 * One around nothing known stays: somebody has sent something.
 */
export function unwrap(message: proto.IMessage): proto.IMessage {
  let current = message;
  for (let layer = 0; layer < MAX_LAYERS; layer += 1) {
    const inner = innerMessage(current);
    if (!inner || isEmpty(inner)) return current;
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
    message.groupStatusMessage ??
    message.groupStatusMessageV2 ??
    message.commentMessage ??
    message.questionMessage ??
    message.questionReplyMessage ??
    message.statusAddYours ??
    message.eventCoverImage ??
    message.pollCreationOptionImageMessage ??
    message.limitSharingMessage ??
    message.botInvokeMessage ??
    message.botTaskMessage ??
    message.botForwardedMessage ??
    message.lottieStickerMessage;
  return wrapper?.message;
}

function isEmpty({ messageContextInfo: _, ...content }: proto.IMessage): boolean {
  return Object.keys(content).length === 0;
}
