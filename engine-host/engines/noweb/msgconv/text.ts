import type { ContentReader } from './content.ts';

export const readText: ContentReader = ({ conversation, extendedTextMessage }) => {
  if (extendedTextMessage) {
    return { type: 'text', body: extendedTextMessage.text ?? '', context: extendedTextMessage.contextInfo };
  }
  return conversation ? { type: 'text', body: conversation, context: undefined } : undefined;
};
