import { describe, expect, it } from 'vitest';
import { compileTextPattern } from './text-pattern.ts';

async function finds(pattern: string, text: string): Promise<boolean> {
  const compiled = await compileTextPattern(pattern);
  if (typeof compiled === 'string') throw new Error(`${pattern} is ${compiled}`);
  return compiled(text);
}

describe('a pattern', () => {
  it.each([
    ['^!\\w+', '!help', true],
    ['^!\\w+', 'help', false],
    ['(?i)hello', 'Say HELLO', true],
    ['\\p{Emoji}|ü', 'grün', true],
    ['\\x{1041}{1,2}', 'БББ', false],
    ['(?P<greeting>(?i:hi|hello)), (?<whom>\\w+)', 'Hello, Ada', true],
  ])('%s in %s: %s', async (pattern, text, found) => {
    expect(await finds(pattern, text)).toBe(found);
  });

  it.each(['(', '(?=a)', '(a)\\1', '[z-a]', '*'])('%s is none', async (pattern) => {
    expect(await compileTextPattern(pattern)).toBe('not-re2');
  });

  it.each([
    ['(a+)+$', false],
    ['(a|a)*b', false],
    ['(.*a){20}', true],
    ['.{0,400}[!?]$', false],
  ])('%s takes time by the length of the text, not more', async (pattern, found) => {
    // A backtracking engine would not live to see the end of it.
    expect(await finds(pattern, `${'a'.repeat(4_000)},`)).toBe(found);
  });

  it.each([
    ['.{0,999}'.repeat(60)],
    ['.{0,600}'],
    ['((a{1,30}){1,30}){1,30}$'],
    ['(?:abc){1000}'],
    [`(?P<name>${'.{0,999}'.repeat(58)})`],
    ['(?<name>(?s:.){900}){1,2}'],
    ['(?i:[a-z ]\\pL\\p{Greek}\\.){400}'],
    // What looks like a class or a bracket, and is none.
    ['\\[(.{0,999}){9}]'],
    ['a{1001}'],
  ])('%s is too large', async (pattern) => {
    expect(await compileTextPattern(pattern)).toBe('too-large');
  });

  it('is found in the first 4,096 characters', async () => {
    expect(await finds('b', `${'a'.repeat(4_095)}b`)).toBe(true);
    expect(await finds('b', `${'a'.repeat(4_096)}b`)).toBe(false);
  });

  it('is the same when it comes again', async () => {
    expect(await compileTextPattern('again and again')).toBe(await compileTextPattern('again and again'));
  });
});
