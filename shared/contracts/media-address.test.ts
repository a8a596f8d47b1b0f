import { describe, expect, it } from 'vitest';
import { waMessage } from '#test/contracts/rows.ts';
import { mediaAt, messageAt, withoutAddresses } from './media-address.ts';
import type { WaMedia } from './message.ts';

const Key = 'files/alpha/AAAAAA.jpg';
const PATH = `/api/${Key}`;
const stored: WaMedia = {
  url: PATH,
  mimetype: 'image/jpeg',
  filename: null,
  s3: { Bucket: 'media', Key },
  error: null,
};
const missing: WaMedia = { ...stored, url: null, s3: null, error: 'too late' };
const replied = { id: 'BBBBBB', hasMedia: true, media: stored };
const message = { ...waMessage({ id: 'AAAAAA', media: stored }), replyTo: replied };

describe('media at an address', () => {
  it.each([
    ['http://127.0.0.1:3000', `http://127.0.0.1:3000${PATH}`],
    ['https://example.com/v1', `https://example.com/v1${PATH}`],
    ['', PATH],
  ])('of %j has %s', (baseUrl, url) => {
    expect(mediaAt(baseUrl, stored)).toEqual({ ...stored, url });
  });

  it('has none where it is not stored', () => {
    expect(mediaAt('https://example.com', missing)).toEqual(missing);
    const { s3: _nowhere, ...unplaced } = missing;
    expect(mediaAt('https://example.com', unplaced)).toEqual(unplaced);
  });
});

describe('a message at an address', () => {
  it('has it in its media, in what it replies to, and where old clients look', () => {
    const url = `https://example.com${PATH}`;
    expect(messageAt('https://example.com', message)).toEqual({
      ...message,
      media: { ...stored, url },
      mediaUrl: url,
      replyTo: { ...replied, media: { ...stored, url } },
    });
  });

  it.each([
    ['without media', waMessage({ id: 'AAAAAA' })],
    ['with media that is not stored', waMessage({ id: 'AAAAAA', media: missing })],
  ])('%s says so where old clients look', (_, bare) => {
    expect(messageAt('https://example.com', bare)).toEqual({ ...bare, mediaUrl: '' });
  });

  it('is kept without, so that another one can be put in its place', () => {
    const seen = messageAt('https://old.example.com/v1', message);
    expect(withoutAddresses(seen)).toEqual(message);
    expect(messageAt('https://new.example.com', withoutAddresses(seen))).toEqual(
      messageAt('https://new.example.com', message),
    );
  });
});
