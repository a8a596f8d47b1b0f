import { describe, expect, it } from 'vitest';
import { ArgumentError, parseArguments } from './restore-arguments.ts';

const NAMES = ['--from', 'trunkline-prod', '--to', 'trunkline-restore'];

describe('arguments', () => {
  it('are the names of two installations', () => {
    expect(parseArguments(NAMES)).toEqual({
      from: 'trunkline-prod',
      tables: 'trunkline-prod',
      at: undefined,
      to: 'trunkline-restore',
      bucketSuffix: '',
      withMedia: true,
    });
  });

  it('tell which tables, which time, which buckets', () => {
    const more = [
      '--tables',
      'copy',
      '--at',
      '2026-03-01T13:00:00+01:00',
      '--bucket-suffix=-123-eu',
      '--without-media',
    ];
    expect(parseArguments([...NAMES, ...more])).toMatchObject({
      tables: 'copy',
      at: Date.UTC(2026, 2, 1, 12),
      bucketSuffix: '-123-eu',
      withMedia: false,
    });
  });

  it.each([
    [['--to', 'b2'], '--from is missing'],
    [['--from', 'a1'], '--to is missing'],
    [['--from', 'A', '--to', 'b2'], '--from takes the prefix of an installation, e.g. trunkline-prod'],
    [['--from', 'a1', '--to', 'a1'], '--to is where the backup comes from'],
    [[...NAMES, '--tables', 'trunkline-restore'], '--to is where the backup comes from'],
    [[...NAMES, '--at', 'yesterday'], '--at takes a time'],
    [[...NAMES, '--force'], "Unknown option '--force'"],
    [[...NAMES, 'more'], 'Unexpected argument'],
  ])('%j are refused: %s', (args, message) => {
    expect(() => parseArguments(args)).toThrow(ArgumentError);
    expect(() => parseArguments(args)).toThrow(message);
  });
});
