import { describe, expect, it } from 'vitest';
import { compileTextPattern } from './text-pattern.ts';

describe('a pattern', () => {
  it.each([
    ['^!\\w+', '!help', true],
    ['^!\\w+', 'help', false],
    ['(?i)hello', 'Say HELLO', true],
    ['\\p{Emoji}|ü', 'grün', true],
  ])('%s in %s: %s', async (pattern, text, found) => {
    expect((await compileTextPattern(pattern))?.(text)).toBe(found);
  });

  it.each(['(', '(?=a)', '(a)\\1', '[z-a]', 'a{1001}', '*'])('%s is none', async (pattern) => {
    expect(await compileTextPattern(pattern)).toBeUndefined();
  });

  it.each([
    ['(a+)+$', false],
    ['(a|a)*b', false],
    ['(.*a){20}', true],
    ['((a{1,30}){1,30}){1,30}$', undefined],
  ])('%s takes time by the length of the text, not more', async (pattern, found) => {
    // A backtracking engine would not live to see the end of it.
    expect((await compileTextPattern(pattern))?.(`${'a'.repeat(20_000)}!`)).toBe(found);
  });
});
