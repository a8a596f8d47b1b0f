import type * as z from 'zod';
import type { chattingOperations } from '#shared/contracts/api/chatting.ts';

type Contact = z.output<typeof chattingOperations.sendContactVcard.request.body>['contacts'][number];

/** A contact as the engine needs it: its name, and a vCard made from the fields where none was given. */
export function contactVcard(contact: Contact): { displayName: string; vcard: string } {
  if (typeof contact.vcard === 'string') {
    return { displayName: /^FN[^:\r\n]*:(.*)$/im.exec(contact.vcard)?.[1]?.trim() || 'Contact', vcard: contact.vcard };
  }
  const { fullName, organization, phoneNumber, whatsappId } = contact;
  const waid = (whatsappId ?? phoneNumber).replace(/\D/g, '');
  const lines = [
    'BEGIN:VCARD',
    'VERSION:3.0',
    `FN:${escapeText(fullName)}`,
    ...(organization ? [`ORG:${escapeText(organization)};`] : []),
    `TEL;type=CELL;type=VOICE;waid=${waid}:${escapeText(phoneNumber)}`,
    'END:VCARD',
  ];
  return { displayName: fullName, vcard: lines.join('\n') };
}

/** RFC 2426, section 5: text values. */
function escapeText(text: string): string {
  return text.replace(/[\\;,]/g, (character) => `\\${character}`).replace(/\r\n|\r|\n/g, '\\n');
}
