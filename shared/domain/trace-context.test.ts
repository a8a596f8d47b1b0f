import { describe, expect, it } from 'vitest';
import { joinTrace, parseTraceparent, traceparentOf } from './trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const VERSION_00 = /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/;

describe('a traceparent', () => {
  it.each([
    ['sampled', `00-${TRACE}-${PARENT}-01`, true],
    ['not sampled', `00-${TRACE}-${PARENT}-00`, false],
    ['with flags that have no meaning yet', `00-${TRACE}-${PARENT}-ff`, true],
    ['with only such flags', `00-${TRACE}-${PARENT}-fe`, false],
    ['of a later version', `01-${TRACE}-${PARENT}-01`, true],
    ['of a later version with more behind it', `cc-${TRACE}-${PARENT}-01-what-comes-then`, true],
    ['of a later version with an empty field behind it', `cc-${TRACE}-${PARENT}-00-`, false],
    ['with all digits but one zero', `00-${'0'.repeat(31)}1-${'0'.repeat(15)}1-01`, true],
  ])('is read: %s', (_, header, sampled) => {
    const [, traceId, parentId] = header.split('-');
    expect(parseTraceparent(header)).toEqual({ traceId, parentId, sampled });
  });

  it.each([
    ['nothing', ''],
    ['no version', `${TRACE}-${PARENT}-01`],
    ['the version that is none', `ff-${TRACE}-${PARENT}-01`],
    ['a version in capitals', `0A-${TRACE}-${PARENT}-01`],
    ['a version that is no number', `.0-${TRACE}-${PARENT}-01`],
    ['a short version', `0-${TRACE}-${PARENT}-01`],
    ['a long version', `000-${TRACE}-${PARENT}-01`],
    ['more behind version 00', `00-${TRACE}-${PARENT}-01-more`],
    ['a dash behind version 00', `00-${TRACE}-${PARENT}-01-`],
    ['something else than a dash behind a later version', `cc-${TRACE}-${PARENT}-01.more`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a trace id of zeros in a later version', `cc-${'0'.repeat(32)}-${PARENT}-01`],
    ['a trace id in capitals', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['a trace id that is no number', `00-${TRACE.slice(1)}g-${PARENT}-01`],
    ['a short trace id', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['a long trace id', `00-${TRACE}0-${PARENT}-01`],
    ['a parent id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['a parent id in capitals', `00-${TRACE}-${PARENT.toUpperCase()}-01`],
    ['a short parent id', `00-${TRACE}-${PARENT.slice(1)}-01`],
    ['a long parent id', `00-${TRACE}-${PARENT}0-01`],
    ['no flags', `00-${TRACE}-${PARENT}`],
    ['empty flags', `00-${TRACE}-${PARENT}-`],
    ['short flags', `00-${TRACE}-${PARENT}-1`],
    ['long flags', `00-${TRACE}-${PARENT}-001`],
    ['flags in capitals', `00-${TRACE}-${PARENT}-0A`],
    ['flags that are no number', `00-${TRACE}-${PARENT}-.0`],
    ['spaces inside', `00 -${TRACE}-${PARENT}-01`],
    ['two of them', `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`],
    ['another line', `00-${TRACE}-${PARENT}-01\n`],
  ])('is ignored: %s', (_, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
    expect(joinTrace(header)).not.toContain(TRACE);
    expect(joinTrace(header)).toMatch(VERSION_00);
  });
});

describe('joining a trace', () => {
  it('keeps the trace and whether it is recorded, and gives the part a name of its own', () => {
    for (const flags of ['00', '01']) {
      const [version, traceId, parentId, own] = joinTrace(`00-${TRACE}-${PARENT}-${flags}`).split('-');
      expect([version, traceId, own]).toEqual(['00', TRACE, flags]);
      expect(parentId).not.toBe(PARENT);
    }
  });

  it('goes on in version 00, without what that does not know', () => {
    expect(joinTrace(`cc-${TRACE}-${PARENT}-ff-more`)).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  });

  it('begins one, recorded, where there is none', () => {
    const begun = Array.from({ length: 50 }, () => joinTrace(undefined));
    for (const traceparent of begun) expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(new Set(begun.map((traceparent) => traceparent.split('-')[1])).size).toBe(50);
    expect(new Set(begun.map((traceparent) => traceparent.split('-')[2])).size).toBe(50);
  });
});

describe('the trace of a happening', () => {
  it('is the same each time, and another for anything else', () => {
    const first = traceparentOf('main', 'inc-1', 'false_491511234567@c.us_3A01');
    expect(parseTraceparent(first)).toMatchObject({ sampled: true });
    expect(traceparentOf('main', 'inc-1', 'false_491511234567@c.us_3A01')).toBe(first);
    const others = [
      traceparentOf('main', 'inc-2', 'false_491511234567@c.us_3A01'),
      traceparentOf('main', 'inc-1', 'false_491511234567@c.us_3A02'),
      traceparentOf('main', 'inc-1false_491511234567@c.us_3A01'),
    ];
    expect(new Set([first, ...others].map((traceparent) => traceparent.split('-')[1])).size).toBe(4);
  });
});
