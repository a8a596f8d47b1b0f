import type { ContentReader } from './content.ts';

export const readCalendarEvent: ContentReader = ({ eventMessage }) =>
  eventMessage ? { type: 'event', body: eventMessage.name ?? '', context: eventMessage.contextInfo } : undefined;
