import { describe, expect, it } from 'vitest';
import { ObjectVersions, type VersionEntry } from './object-versions.ts';

const AT = 100_000;
const object = (key: string, at: number, bytes = 1): VersionEntry => ({ key, version: `${key}@${at}`, at, bytes });
const deletion = (key: string, at: number): VersionEntry => ({ key, version: `${key}-${at}`, at });

function versionsAt(entries: readonly VersionEntry[]): readonly (string | undefined)[] {
  const versions = new ObjectVersions(AT);
  for (const entry of entries) versions.add(entry);
  return versions.take().map(({ version }) => version);
}

describe('what was in a bucket at a time', () => {
  it('is the newest version of that time, in whatever order they are listed', () => {
    const entries = [object('a', 101_000), object('a', 99_000), object('a', 50_000)];
    expect(versionsAt(entries)).toEqual(['a@99000']);
    expect(versionsAt(entries.toReversed())).toEqual(['a@99000']);
    expect(versionsAt([object('a', AT)])).toEqual(['a@100000']);
    expect(versionsAt([object('a', 101_000)])).toEqual([]);
  });

  it('includes what was deleted after it, and leaves out what was deleted before', () => {
    expect(versionsAt([object('a', 50_000), deletion('a', 101_000)])).toEqual(['a@50000']);
    expect(versionsAt([object('a', 50_000), deletion('a', 60_000)])).toEqual([]);
    expect(versionsAt([object('a', 50_000), deletion('a', 60_000), object('a', 70_000)])).toEqual(['a@70000']);
  });

  it('includes what was deleted in the very second', () => {
    expect(versionsAt([object('a', 50_000), deletion('a', AT)])).toEqual(['a@50000']);
    expect(versionsAt([object('a', AT), deletion('a', AT)])).toEqual(['a@100000']);
  });

  it('is not decided for a key whose listing goes on on the next page', () => {
    const versions = new ObjectVersions(AT);
    for (const entry of [object('a', 10_000), deletion('b', 60_000)]) versions.add(entry);
    expect(versions.take('b').map(({ key }) => key)).toEqual(['a']);
    versions.add(object('b', 50_000));
    expect(versions.take()).toEqual([]);
  });
});
