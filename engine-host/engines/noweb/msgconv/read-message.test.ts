import type { proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { readMessage } from './read-message.ts';

const media = { url: 'https://mmg.whatsapp.net/v/1', fileLength: 12 };

const KINDS: readonly (readonly [string, proto.IMessage, Record<string, unknown>])[] = [
  ['plain text', { conversation: 'hi' }, { type: 'text', body: 'hi' }],
  ['text with context', { extendedTextMessage: { text: 'hi' } }, { type: 'text', body: 'hi' }],
  [
    'image',
    { imageMessage: { ...media, caption: 'c' } },
    { type: 'image', body: 'c', media: { kind: 'image', bytes: 12 } },
  ],
  ['video', { videoMessage: { ...media, caption: 'c' } }, { type: 'video', body: 'c', media: { kind: 'video' } }],
  ['video note', { ptvMessage: media }, { type: 'video-note', media: { kind: 'ptv', mimetype: 'video/mp4' } }],
  ['voice', { audioMessage: { ...media, ptt: true } }, { type: 'voice', media: { kind: 'ptt' } }],
  ['audio', { audioMessage: media }, { type: 'audio', media: { kind: 'audio' } }],
  [
    'document',
    { documentMessage: { ...media, fileName: 'a.pdf' } },
    { type: 'document', media: { filename: 'a.pdf' } },
  ],
  ['sticker', { stickerMessage: media }, { type: 'sticker', media: { mimetype: 'image/webp' } }],
  ['location', { locationMessage: { degreesLatitude: 1.5 } }, { type: 'location', location: { latitude: '1.5' } }],
  [
    'live location',
    { liveLocationMessage: { degreesLatitude: 1 } },
    { type: 'live-location', location: { live: true } },
  ],
  ['contact', { contactMessage: { displayName: 'A', vcard: 'V' } }, { type: 'contact', vCards: ['V'] }],
  ['contacts', { contactsArrayMessage: { contacts: [{ vcard: 'V' }, { vcard: 'W' }] } }, { vCards: ['V', 'W'] }],
  ['poll', { pollCreationMessageV3: { name: 'When?' } }, { type: 'poll', body: 'When?' }],
  ['group invite', { groupInviteMessage: { caption: 'join' } }, { type: 'group-invite', body: 'join' }],
  ['event', { eventMessage: { name: 'party' } }, { type: 'event', body: 'party' }],
  ['buttons', { buttonsMessage: { contentText: 'choose' } }, { type: 'buttons', body: 'choose' }],
  ['order', { orderMessage: { message: 'two, please' } }, { type: 'unknown', body: 'two, please' }],
  [
    'product',
    { productMessage: { product: { title: 'Shoe' }, body: 'In blue?' } },
    { type: 'unknown', body: 'Shoe\nIn blue?' },
  ],
  ['payment', { sendPaymentMessage: { noteMessage: { conversation: 'for lunch' } } }, { body: 'for lunch' }],
  [
    'request for a payment',
    { requestPaymentMessage: { noteMessage: { extendedTextMessage: { text: 'lunch' } } } },
    { type: 'unknown', body: 'lunch' },
  ],
  ['refused payment', { declinePaymentRequestMessage: {} }, { type: 'unknown', body: '' }],
  ['sticker pack', { stickerPackMessage: { name: 'cats' } }, { type: 'unknown', body: 'cats' }],
  ['album', { albumMessage: { expectedImageCount: 2 } }, { type: 'unknown', body: '' }],
  ['invitation to a channel', { newsletterAdminInviteMessage: { caption: 'help me' } }, { body: 'help me' }],
  ['planned call', { scheduledCallCreationMessage: { title: 'Monday' } }, { type: 'unknown', body: 'Monday' }],
  ['answer to a question', { questionResponseMessage: { text: 'yes' } }, { type: 'unknown', body: 'yes' }],
  ['answer of an assistant', { richResponseMessage: { submessages: [{ messageText: 'so' }] } }, { body: 'so' }],
  ['what only the phone may show', { placeholderMessage: { type: 0 } }, { type: 'unknown', body: '' }],
  ['a sealed reaction', { encReactionMessage: { encPayload: new Uint8Array(1) } }, { type: 'unknown', body: '' }],
  ['a sealed comment', { encCommentMessage: { encPayload: new Uint8Array(1) } }, { type: 'unknown', body: '' }],
  ['a wrapper around nothing known', { viewOnceMessageV2: { message: {} } }, { type: 'unknown', body: '' }],
  ['answer to a button', { buttonsResponseMessage: { selectedDisplayText: 'Yes' } }, { body: 'Yes' }],
  [
    'answer to a native flow',
    { interactiveResponseMessage: { body: { text: 'Yes' }, nativeFlowResponseMessage: { name: 'flow' } } },
    { type: 'interactive-response', body: 'Yes' },
  ],
  ['answer to a list', { listResponseMessage: { title: 'tea' } }, { type: 'list-response', body: 'tea' }],
];

describe('readMessage', () => {
  test.each(KINDS)('%s', (_, message, content) => {
    expect(readMessage(message)).toMatchObject({ kind: 'message', content });
  });

  test.each<readonly [string, proto.IMessage]>([
    ['disappearing', { ephemeralMessage: { message: { conversation: 'hi' } } }],
    ['view once', { viewOnceMessageV2: { message: { conversation: 'hi' } } }],
    ['group status', { groupStatusMessageV2: { message: { conversation: 'hi' } } }],
    ['comment', { commentMessage: { message: { conversation: 'hi' }, targetMessageKey: { id: 'A' } } }],
    ['question', { questionMessage: { message: { extendedTextMessage: { text: 'hi' } } } }],
    ['document with caption', { documentWithCaptionMessage: { message: { conversation: 'hi' } } }],
    [
      'copy of an own device',
      { deviceSentMessage: { message: { ephemeralMessage: { message: { conversation: 'hi' } } } } },
    ],
  ])('unwraps: %s', (_, message) => {
    expect(readMessage(message)).toMatchObject({ kind: 'message', content: { body: 'hi' } });
  });

  test('reaction, edit and revocation name their target', () => {
    const key = { id: 'TARGET', remoteJid: 'c', fromMe: true };
    expect(readMessage({ reactionMessage: { key, text: '👍' } })).toMatchObject({
      kind: 'reaction',
      reaction: { text: '👍' },
    });
    const edit = { type: 14, key, editedMessage: { conversation: 'new' }, timestampMs: 5_000 };
    const expected = { kind: 'edit', edit: { targetId: 'TARGET' }, content: { body: 'new' } };
    expect(readMessage({ protocolMessage: edit })).toMatchObject(expected);
    expect(readMessage({ editedMessage: { message: { protocolMessage: edit } } })).toMatchObject(expected);
    expect(readMessage({ protocolMessage: { type: 0, key } })).toEqual({ kind: 'revoke', targetId: 'TARGET' });
  });

  test.each<readonly [string, proto.IMessage]>([
    ['nothing', {}],
    ['a key for a group', { senderKeyDistributionMessage: { groupId: 'g' } }],
    ['a key share of an own device', { protocolMessage: { type: 6 } }],
    ['a vote', { pollUpdateMessage: {} }],
    ['an empty text', { conversation: '' }],
    ['a copy of nothing', { deviceSentMessage: { message: {} } }],
    ['a setting of the chat', { ephemeralMessage: { message: { protocolMessage: { type: 3 } } } }],
    ['a limit to sharing', { limitSharingMessage: { message: { protocolMessage: { type: 27 } } } }],
    ['a pinned message', { pinInChatMessage: { type: 1 } }],
    ['a kept message', { keepInChatMessage: { keepType: 1 } }],
    ['a call', { call: { callKey: new Uint8Array(1) } }],
    ['a call in the log', { callLogMesssage: { isVideo: true } }],
    ['keys of several kinds', { fastRatchetKeySenderKeyDistributionMessage: { groupId: 'g' }, messageContextInfo: {} }],
    ['a response to nothing', { encEventResponseMessage: {} }],
  ])('ignores %s', (_, message) => {
    expect(readMessage(message)).toEqual({ kind: 'nothing' });
  });

  test('does not follow wrappers for ever', () => {
    const loop: proto.IMessage = {};
    loop.ephemeralMessage = { message: loop };
    expect(readMessage(loop)).toMatchObject({ kind: 'message', content: { type: 'unknown' } });
  });
});
