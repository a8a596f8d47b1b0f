import { describe, expect, it } from 'vitest';
import type { EventBody } from '#shared/contracts/events.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { contentAt } from './event-content.ts';

const BASE_URL = 'https://wa.example.com/v1';
const PATH = '/api/files/alpha/a.jpg';
const s3 = { Bucket: 'media', Key: 'files/alpha/a.jpg' };
const media = { url: PATH, mimetype: 'image/jpeg', filename: null, s3, error: null };
const message = { ...waMessage({ id: 'AAAAAA', media }), replyTo: { id: 'BBBBBB', hasMedia: true, media } };
const common = { id: message.id, from: 'a', to: 'b', participant: null, fromMe: false, timestamp: 1, _data: {} };
/** In `media`, in `mediaUrl`, and in the message that it replies to. */
const IN_A_MESSAGE = 3;

describe('the content of an event', () => {
  it.each<{ readonly body: EventBody; readonly places: number }>([
    { body: { event: 'message', payload: message }, places: IN_A_MESSAGE },
    { body: { event: 'message.any', payload: message }, places: IN_A_MESSAGE },
    { body: { event: 'message.waiting', payload: message }, places: IN_A_MESSAGE },
    { body: { event: 'message.edited', payload: { ...message, editedMessageId: 'CCCCCC' } }, places: IN_A_MESSAGE },
    {
      body: {
        event: 'message.revoked',
        payload: { revokedMessageId: 'CCCCCC', chatId: 'a', after: message, before: message },
      },
      places: 2 * IN_A_MESSAGE,
    },
    { body: { event: 'message.media', payload: { ...common, media } }, places: 1 },
  ])('has the address of media wherever it names some: $body.event', ({ body, places }) => {
    const content = contentAt(BASE_URL, body);
    const text = JSON.stringify(content);
    expect(text.split(`"${BASE_URL}${PATH}"`)).toHaveLength(places + 1);
    expect(text).not.toContain(`"${PATH}"`);
    // All else is as it was, and nothing of it is foreign to the contract.
    expect(JSON.parse(text.replaceAll(BASE_URL, ''))).toMatchObject(body);
    expect(eventEnvelope(content)).toMatchObject(content);
  });

  it('is what it was where no media can be', () => {
    const body: EventBody = { event: 'presence.update', payload: { id: 'a', presences: [] } };
    expect(contentAt(BASE_URL, body)).toEqual(body);
  });
});
