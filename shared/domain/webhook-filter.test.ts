import { describe, expect, it } from 'vitest';
import { type EventFacts, type EventFilter, passesFilter } from './webhook-filter.ts';

const CHAT = '4915100000001@c.us';
const GROUP = '120363000000000001@g.us';
const message = (fields: Partial<NonNullable<EventFacts['message']>> = {}, chatId = CHAT, own = false): EventFacts => ({
  chatId,
  own,
  message: { text: '!help me', kind: 'written', addressed: false, ...fields },
});
const status: EventFacts = {};
const { chatId: _, ...homeless } = message();
const LID = '77777777777@lid';
const known: EventFacts = { chatId: CHAT, chatLid: LID };
const ack: EventFacts = { chatId: CHAT };

describe('a filter', () => {
  it.each<[string, EventFilter, EventFacts, boolean]>([
    ['without rules', {}, message(), true],
    ['without rules', {}, status, true],
    ['skipOwn', { skipOwn: true }, message({}, CHAT, true), false],
    ['skipOwn', { skipOwn: true }, message(), true],
    ['skipOwn', { skipOwn: true }, ack, true],
    ['skipOwn off', { skipOwn: false }, message({}, CHAT, true), true],
    ['skipStatus', { skipStatus: true }, message({}, 'status@broadcast'), false],
    ['skipStatus', { skipStatus: true }, message(), true],
    ['skipSystem', { skipSystem: true }, message({ kind: 'system' }), false],
    ['skipSystem', { skipSystem: true }, message({ kind: 'unsupported' }), true],
    ['skipUnsupported', { skipUnsupported: true }, message({ kind: 'unsupported' }), false],
    ['skipUnsupported', { skipUnsupported: true }, message({ kind: 'system' }), true],
    ['groupsOnlyWhenAddressed', { groupsOnlyWhenAddressed: true }, message({}, GROUP), false],
    ['groupsOnlyWhenAddressed', { groupsOnlyWhenAddressed: true }, message({ addressed: true }, GROUP), true],
    ['groupsOnlyWhenAddressed', { groupsOnlyWhenAddressed: true }, message(), true],
    ['groupsOnlyWhenAddressed', { groupsOnlyWhenAddressed: true }, { chatId: GROUP }, true],
    ['textPrefix', { textPrefix: '!' }, message(), true],
    ['textPrefix', { textPrefix: '!' }, message({ text: 'help !' }), false],
    ['textPrefix', { textPrefix: '!' }, status, true],
    ['a pattern', { matches: (text) => text.includes('help') }, message(), true],
    ['a pattern', { matches: (text) => text.includes('other') }, message(), false],
    ['a pattern', { matches: () => false }, ack, true],
    ['allow', { allow: new Set([CHAT]) }, message(), true],
    ['allow', { allow: new Set([CHAT]) }, message({}, GROUP), false],
    ['allow of nothing', { allow: new Set() }, ack, false],
    ['allow', { allow: new Set([CHAT]) }, status, true],
    ['allow', { allow: new Set([CHAT]) }, homeless, false],
    ['deny', { deny: new Set([CHAT]) }, homeless, false],
    ['without rules', {}, homeless, true],
    ['deny', { deny: new Set([CHAT]) }, ack, false],
    ['deny', { deny: new Set([CHAT]) }, message({}, GROUP), true],
    ['allow', { allow: new Set([LID]) }, known, true],
    ['allow', { allow: new Set([CHAT]) }, known, true],
    ['allow', { allow: new Set([LID]) }, ack, false],
    ['deny', { deny: new Set([LID]) }, known, false],
    ['deny before allow', { allow: new Set([CHAT]), deny: new Set([CHAT]) }, message(), false],
  ])('%s %o: %o → %s', (_, filter, facts, passes) => {
    expect(passesFilter(filter, facts)).toBe(passes);
  });
});
