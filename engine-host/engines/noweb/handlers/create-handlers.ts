import type { CommandHandlers } from '../../engine.ts';
import { createMessageChanges } from './change-message.ts';
import { createControls } from './control.ts';
import { createDownloadMedia } from './download-media.ts';
import type { HandlerContext } from './handler-context.ts';
import { createSendContact } from './send-contact.ts';
import { createSendLocation } from './send-location.ts';
import { createSendMedia } from './send-media.ts';
import { createSendPoll } from './send-poll.ts';
import { createSendText } from './send-text.ts';

/** Everything this engine can do; the keys are its capabilities. */
export function createHandlers(handler: HandlerContext) {
  return {
    sendText: createSendText(handler),
    ...createSendMedia(handler),
    sendLocation: createSendLocation(handler),
    sendContactVcard: createSendContact(handler),
    sendPoll: createSendPoll(handler),
    ...createMessageChanges(handler),
    ...createControls(handler),
    downloadMedia: createDownloadMedia(handler),
  } satisfies CommandHandlers;
}

export const CAPABILITIES = [
  'sendText',
  'sendImage',
  'sendFile',
  'sendVideo',
  'sendVoice',
  'sendLocation',
  'sendContactVcard',
  'sendPoll',
  'sendReaction',
  'forwardMessage',
  'editMessage',
  'deleteMessage',
  'sendSeen',
  'setTyping',
  'checkExists',
  'downloadMedia',
  'requestPairingCode',
] as const satisfies readonly (keyof ReturnType<typeof createHandlers>)[];
