import { describe, expect, it } from 'vitest';
import { type MediaSend, mediaType, saidRuleBrokenBy } from './media-types.ts';

const OPUS = 'audio/ogg; codecs=opus';
const PICTURES = 'must be image/jpeg, image/png, image/webp or image/gif';

describe('a file that is taken', () => {
  it.each<[MediaSend, string | undefined, string | undefined, string]>([
    ['sendImage', 'image/png', 'image/png', 'image/png'],
    ['sendImage', undefined, 'image/webp', 'image/webp'],
    ['sendImage', 'application/octet-stream', 'image/gif', 'image/gif'],
    ['sendImage', 'binary/octet-stream', 'image/jpeg', 'image/jpeg'],
    ['sendImage', 'application/x-download', 'image/jpeg', 'image/jpeg'],
    ['sendImage', 'png', 'image/png', 'image/png'],
    ['sendImage', 'image/jpg', 'image/jpeg', 'image/jpeg'],
    ['sendImage', 'image/jpeg', 'image/png', 'image/jpeg'],
    ['sendImage', 'image/png', 'image/apng', 'image/png'],
    ['sendVoice', 'audio/ogg', OPUS, OPUS],
    ['sendVoice', 'Audio/OGG; codecs=opus', OPUS, OPUS],
    ['sendVoice', 'application/ogg', OPUS, OPUS],
    ['sendVoice', 'audio/mpeg', OPUS, OPUS],
    ['sendVideo', 'video/mp4', 'video/mp4', 'video/mp4'],
    ['sendVideo', undefined, 'video/x-m4v', 'video/mp4'],
    ['sendFile', 'text/html; charset=utf-8', 'image/png', 'text/html; charset=utf-8'],
    ['sendFile', 'application/octet-stream', 'application/pdf', 'application/pdf'],
    ['sendFile', 'application/octet-stream', undefined, 'application/octet-stream'],
    ['sendFile', undefined, undefined, 'application/octet-stream'],
  ])('%s, said to be %s and found to be %s, goes as %s', (send, said, found, mimetype) => {
    expect(mediaType(send, { said, found })).toEqual({ kind: 'taken', mimetype });
    expect(saidRuleBrokenBy(send, said)).toBeUndefined();
  });
});

describe('a file that is refused', () => {
  it.each<[MediaSend, string | undefined, string | undefined, string]>([
    ['sendImage', 'text/html', undefined, `${PICTURES}, not text/html`],
    ['sendImage', 'TEXT/HTML; charset=x', 'image/png', `${PICTURES}, not text/html`],
    ['sendImage', 'image/png', undefined, `${PICTURES}, and its content is not`],
    ['sendImage', undefined, 'application/pdf', `${PICTURES}, and is application/pdf`],
    ['sendImage', 'image/svg+xml', 'application/xml', `${PICTURES}, and is application/xml`],
    ['sendVoice', 'audio/ogg', 'audio/ogg', `must be ${OPUS}, and is audio/ogg`],
    ['sendVoice', 'audio/mpeg', 'audio/mpeg', `must be ${OPUS}, and is audio/mpeg`],
    ['sendVoice', 'video/mp4', OPUS, `must be ${OPUS}, not video/mp4`],
    ['sendVideo', 'video/quicktime', 'video/quicktime', 'must be video/mp4, and is video/quicktime'],
    ['sendVideo', 'application/json', 'video/mp4', 'must be video/mp4, not application/json'],
  ])('%s, said to be %s and found to be %s: %#', (send, said, found, rule) => {
    expect(mediaType(send, { said, found })).toEqual({ kind: 'refused', rule });
    if (rule.includes(', not ')) expect(saidRuleBrokenBy(send, said)).toBe(rule);
  });
});
