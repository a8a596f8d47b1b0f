import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DETAIL_MEANINGS, detailSchema, REFERENCE } from '#shared/contracts/event-catalogue.ts';
import { EVENT_NAMES } from '#shared/contracts/events.ts';
import { WEBHOOK_DISABLED } from '#shared/contracts/webhook-notices.ts';
import { eventEnvelope } from './events.ts';
import { laterForm, schemaErrors } from './published-schemas.ts';
import { waMessage } from './rows.ts';

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
const NAMES = [...EVENT_NAMES, WEBHOOK_DISABLED, REFERENCE];

/** Written anew by `npm test -- test/contracts/event-catalogue.test.ts --update`. */
describe('the event catalogue', () => {
  it.each(NAMES)('has the schema of %s as the contracts have it', async (name) => {
    await expect(`${JSON.stringify(detailSchema(name), null, 2)}\n`).toMatchFileSnapshot(`${DOCS}events/${name}.json`);
  });

  it('has no other schemas', async () => {
    const files = await readdir(`${DOCS}events`);
    expect(files.toSorted()).toEqual(NAMES.map((name) => `${name}.json`).toSorted());
  });

  it('explains each in its tables', async () => {
    const rows = new Map(
      [
        ...(await readFile(`${DOCS}events.md`, 'utf8')).matchAll(/^\| \[`([^`]+)`\]\(events\/\1\.json\) \| (.+) \|$/gm),
      ].map(([, name, meaning]) => [name, meaning]),
    );
    expect(Object.fromEntries(rows)).toEqual(DETAIL_MEANINGS);
  });
});

describe('a published schema', () => {
  const media = { url: null, mimetype: 'image/jpeg', filename: null, s3: { Bucket: 'b', Key: 'k' }, error: null };
  const details: readonly (readonly [string, object])[] = [
    [
      'session.status',
      eventEnvelope({
        event: 'session.status',
        payload: {
          name: 'alpha',
          status: 'FAILED',
          statuses: [{ status: 'FAILED', timestamp: 1 }],
          data: { reason: 'x' },
        },
      }),
    ],
    [
      'message',
      eventEnvelope({ event: 'message', payload: { ...waMessage({ id: 'AAAAAA1' }), hasMedia: true, media } }),
    ],
    [WEBHOOK_DISABLED, { session: 'alpha', endpointId: 'e', reason: 'gone', at: 1, schemaVersion: 1 }],
    [REFERENCE, { id: 'evt_1', session: 'alpha', schemaVersion: 1, s3: media.s3 }],
  ];

  it.each(details)('accepts %s as it is, and with what a later release adds', (name, detail) => {
    expect(schemaErrors(name, detail)).toEqual([]);
    expect(schemaErrors(name, laterForm(detail))).toEqual([]);
  });

  it.each(details)('refuses %s of another version, or of none', (name, { ...detail }) => {
    expect(schemaErrors(name, { ...detail, schemaVersion: 2 })).not.toEqual([]);
    expect(schemaErrors(name, { ...detail, schemaVersion: undefined })).not.toEqual([]);
  });

  it.each(NAMES)('of %s forbids no field', (name) => {
    expect(JSON.stringify(detailSchema(name))).not.toMatch(/"(?:additional|unevaluated)Properties":false/);
  });
});
