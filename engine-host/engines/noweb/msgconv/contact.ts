import type { ContentReader } from './content.ts';

/** Contact cards, one or several. */
export const readContact: ContentReader = ({ contactMessage, contactsArrayMessage }) => {
  if (contactMessage) {
    return {
      type: 'contact',
      body: contactMessage.displayName ?? '',
      context: contactMessage.contextInfo,
      vCards: [contactMessage.vcard ?? ''],
    };
  }
  if (!contactsArrayMessage) return undefined;
  return {
    type: 'contacts',
    body: contactsArrayMessage.displayName ?? '',
    context: contactsArrayMessage.contextInfo,
    vCards: (contactsArrayMessage.contacts ?? []).map((contact) => contact.vcard ?? ''),
  };
};
