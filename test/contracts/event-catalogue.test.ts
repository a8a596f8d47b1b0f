import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EVENT_MEANINGS, eventSchema } from '#shared/contracts/event-catalogue.ts';
import { EVENT_NAMES } from '#shared/contracts/events.ts';

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));

/** Written anew by `npm test -- test/contracts/event-catalogue.test.ts --update`. */
describe('the event catalogue', () => {
  it.each(EVENT_NAMES)('has the schema of %s as the contracts have it', async (name) => {
    await expect(`${JSON.stringify(eventSchema(name), null, 2)}\n`).toMatchFileSnapshot(`${DOCS}events/${name}.json`);
  });

  it('has no other schemas', async () => {
    const files = await readdir(`${DOCS}events`);
    expect(files.toSorted()).toEqual(EVENT_NAMES.map((name) => `${name}.json`).toSorted());
  });

  it('explains each event in its table', async () => {
    const rows = new Map(
      [
        ...(await readFile(`${DOCS}events.md`, 'utf8')).matchAll(/^\| \[`([^`]+)`\]\(events\/\1\.json\) \| (.+) \|$/gm),
      ].map(([, name, meaning]) => [name, meaning]),
    );
    expect(Object.fromEntries(rows)).toEqual(EVENT_MEANINGS);
  });
});
