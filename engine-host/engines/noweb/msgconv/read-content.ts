import type { proto } from '@whiskeysockets/baileys';
import { readAudio } from './audio.ts';
import { readBusiness } from './business.ts';
import { readCalendarEvent } from './calendar-event.ts';
import { readContact } from './contact.ts';
import type { ContentReader, MessageContent } from './content.ts';
import { readDocument } from './document.ts';
import { readGroupInvite } from './group-invite.ts';
import { readImage } from './image.ts';
import { readLocation } from './location.ts';
import { readPoll } from './poll.ts';
import { readSticker } from './sticker.ts';
import { readText } from './text.ts';
import { readUnknown } from './unknown.ts';
import { unwrap } from './unwrap.ts';
import { readVideo } from './video.ts';

const READERS: readonly ContentReader[] = [
  readText,
  readImage,
  readVideo,
  readAudio,
  readDocument,
  readSticker,
  readLocation,
  readContact,
  readPoll,
  readGroupInvite,
  readCalendarEvent,
  readBusiness,
  readUnknown,
];

/** What a message says, `unknown` included; undefined when it says nothing to a person (keys, notes between devices, votes…). */
export function readContent(message: proto.IMessage): MessageContent | undefined {
  const inner = unwrap(message);
  for (const read of READERS) {
    const content = read(inner);
    if (content) return content;
  }
  return undefined;
}
