import { describe, expect, it } from 'vitest';
import type { MessageRow } from '#shared/contracts/rows.ts';
import { messageView } from './message-view.ts';

const row: MessageRow = {
  session: 'main',
  id: '3EB0AA',
  chatId: '491511@c.us',
  chatKey: 'main#491511@c.us',
  position: '000000000100#3EB0AA',
  ack: 1,
  reactions: {},
  message: {
    id: 'true_491511@c.us_3EB0AA',
    timestamp: 100,
    from: '490@c.us',
    fromMe: true,
    source: 'api',
    to: '491511@c.us',
    participant: null,
    body: 'x',
    hasMedia: true,
    media: { url: null, mimetype: 'image/png', filename: null, error: 'expired' },
    ack: 1,
    ackName: 'SERVER',
    vCards: [],
  },
};
const stored = { url: '/api/files/main/a.png', s3: { Bucket: 'media', Key: 'files/main/a.png' } };
const withMedia = (where: typeof stored | { url: null; s3: null }): MessageRow => ({
  ...row,
  message: { ...row.message, media: { ...where, mimetype: null, filename: null, error: null } },
});

describe('a message as clients see it', () => {
  it('has the newest ack, wherever it was noted', () => {
    expect(messageView({ ...row, ack: 3 }, '')).toMatchObject({ ack: 3, ackName: 'READ' });
    expect(messageView({ ...row, ack: 0 }, '')).toMatchObject({ ack: 1, ackName: 'SERVER' });
  });

  it.each([
    [stored, 'https://api.test/v1/api/files/main/a.png'],
    [{ url: null, s3: null }, null],
  ])('has media %j at %s', (where, shown) => {
    const view = messageView(withMedia(where), 'https://api.test/v1');
    expect(view.media?.url).toBe(shown);
    expect(view.mediaUrl).toBe(shown ?? '');
  });

  it('tells what happened to it since', () => {
    const view = messageView({ ...row, reactions: { '491511@c.us': '👍' }, editedAt: 5000 }, '');
    expect(view._data).toEqual({ reactions: { '491511@c.us': '👍' }, editedAt: 5000 });
  });

  it('shows nothing of a message that was deleted for everybody', () => {
    const message = { ...row.message, body: 'a secret', _data: { content: 'YSBzZWNyZXQ=', lid: '1@lid' } };
    const view = messageView({ ...row, message, revokedAt: 6000 }, '');
    expect(view).toMatchObject({ body: '', hasMedia: false, media: null, _data: { lid: '1@lid', revokedAt: 6000 } });
    expect(JSON.stringify(view)).not.toContain('ecret');
  });
});
