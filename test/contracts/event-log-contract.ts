import { beforeEach, describe, expect, it } from 'vitest';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { eventId } from '#shared/domain/event-id.ts';
import type { EventLog, Search, SearchPlace, Telling } from '#shared/ports/event-log.ts';
import { eventEnvelope } from './events.ts';
import { waMessage } from './rows.ts';

export interface EventLogSetup {
  readonly log: EventLog;
  /** Makes the log refuse an event, or every call. */
  readonly refuse: (what: 'none' | 'call' | { readonly session: string; readonly seq: number }) => void;
}

const HAPPENED = 1_700_000_000_000;
const idOf = (seq: number, session = 'alpha') =>
  eventId({ name: session, incarnation: 'inc-1' }, 'message.any', HAPPENED, String(seq));

function event(seq: number, { session = 'alpha', id = idOf(seq, session), body = `text ${seq}` } = {}): EventEnvelope {
  const payload = waMessage({ id: `AAAAA${seq}`, body });
  return eventEnvelope({ event: 'message.any', payload }, { id, session, seq, timestamp: HAPPENED });
}
const events = (from: number, to: number, session = 'alpha') =>
  Array.from({ length: to - from + 1 }, (_, index) => event(from + index, { session }));

/** What every event log does. @param factory gives an empty log with this clock */
export function defineEventLogContract(
  name: string,
  factory: (clock: { now(): number }) => Promise<EventLogSetup>,
): void {
  describe(`${name}: an event log`, () => {
    let log: EventLog;
    let refuse: EventLogSetup['refuse'];
    let now: number;
    beforeEach(async () => {
      now = HAPPENED + 1_000;
      ({ log, refuse } = await factory({ now: () => now }));
    });

    /** What a reader gets that begins behind `after` and takes `limit` at a time. */
    const readOn = async (after: number, limit: number, session = 'alpha') => {
      const seqs: number[] = [];
      for (let cursor = after; ; cursor = seqs.at(-1) ?? after) {
        const found = await log.read(session, cursor, limit);
        if (found.length === 0) return seqs;
        seqs.push(...found.map(({ envelope: { seq } }) => seq));
      }
    };
    const range = (from: number, to: number) => events(from, to).map(({ seq }) => seq);

    it('finds an event whose id has a time to come', async () => {
      const id = eventId({ name: 'alpha', incarnation: 'inc-1' }, 'message.any', HAPPENED + 10 * 86_400_000, '1');
      await log.append([event(1, { id })]);
      now += 1_000;
      await log.append([event(2)]);
      expect(await log.find('alpha', [id])).toEqual(new Map([[id, 1]]));
    });

    it('leaves out an event of a form that is not known, and reads on', async () => {
      const unknown = { ...event(1), payload: { of: 'the future' } } as unknown as EventEnvelope;
      await log.append([unknown]);
      await log.append([event(2)]);
      expect((await log.read('alpha', 0, 1)).map(({ envelope }) => envelope.seq)).toEqual([2]);
    });

    it('gives back what was appended, whole and in order', async () => {
      expect(await log.append(events(1, 3))).toEqual([]);
      now += 500;
      expect(await log.append([event(4)])).toEqual([]);
      const found = await log.read('alpha', 0, 100);
      expect(found.map(({ envelope }) => envelope)).toEqual(events(1, 4));
      expect(found.map(({ loggedAt }) => loggedAt - HAPPENED)).toEqual([1_000, 1_000, 1_000, 1_500]);
      expect(await log.append([])).toEqual([]);
    });

    it('gives every reader each event once, wherever it begins and however much it takes', async () => {
      await log.append(events(1, 3));
      await log.append(events(1, 5));
      await log.append(events(4, 6));
      await log.append([event(9), event(12)]);
      await log.append([event(12)]);
      const all = [...range(1, 6), 9, 12];
      for (let after = 0; after <= 13; after += 1) {
        for (const limit of [1, 2, 3, 100]) {
          expect(await readOn(after, limit)).toEqual(all.filter((seq) => seq > after));
        }
      }
    });

    it('shows nothing new when an append is repeated, and only what is new when there is more behind it', async () => {
      await log.append(events(1, 3));
      await log.append(events(1, 3));
      expect(await readOn(0, 10)).toEqual([1, 2, 3]);
      expect(await log.read('alpha', 3, 10)).toEqual([]);
      await log.append(events(1, 5));
      expect(await readOn(3, 10)).toEqual([4, 5]);
      expect(await readOn(1, 1)).toEqual([2, 3, 4, 5]);
    });

    it('stops near the limit', async () => {
      for (let seq = 1; seq <= 30; seq += 3) await log.append(events(seq, seq + 2));
      const { length } = await log.read('alpha', 0, 7);
      expect(length).toBeGreaterThanOrEqual(7);
      expect(length).toBeLessThan(10);
      expect(await log.read('alpha', 30, 7)).toEqual([]);
    });

    it('gives less than was asked for only at its end, whatever cannot be read', async () => {
      for (let seq = 1; seq <= 30; seq += 3) {
        const unknown = { ...event(seq), payload: { of: 'the future' } };
        await log.append([Object.assign(event(seq), unknown), ...events(seq + 1, seq + 2)]);
      }
      const readable = range(1, 30).filter((seq) => seq % 3 !== 1);
      for (const limit of [1, 5, 19, 20]) {
        const { length } = await log.read('alpha', 0, limit);
        expect(length).toBeGreaterThanOrEqual(limit);
      }
      expect((await log.read('alpha', 0, 100)).map(({ envelope: { seq } }) => seq)).toEqual(readable);
    });

    it('takes events of any size, many at once', async () => {
      const large = [event(1), event(2, { body: 'ü'.repeat(150_000) }), event(3, { body: noise(190_000) })];
      const many = Array.from({ length: 6 }, (_, index) => event(4 + index, { body: noise(150_000) }));
      expect(await log.append([...large, ...many, ...events(10, 500)])).toEqual([]);
      const found = await log.read('alpha', 0, 1_000);
      expect(found.map(({ envelope }) => envelope)).toEqual([...large, ...many, ...events(10, 500)]);
      expect(await readOn(2, 3)).toEqual(range(3, 500));
    });

    it('has a large event that is told again as it was told each time, whichever was stored last', async () => {
      const large = (seq: number, text: string) => event(seq, { id: idOf(5), body: text.repeat(210_000) });
      const [first, again] = [large(5, 'x'), large(1_005, 'y')];
      await log.append([first, ...events(6, 9)]);
      await log.append([again]);
      // A host that has the session no more may be late with what it had begun.
      await log.append([first]);
      const found = await log.read('alpha', 4, 100);
      expect(found.map(({ envelope }) => envelope)).toEqual([first, ...events(6, 9), again]);
      expect(await readOn(4, 1)).toEqual([...range(5, 9), 1_005]);
    });

    it('takes events of many sessions in one call', async () => {
      const sessions = Array.from({ length: 60 }, (_, index) => `s-${index}`);
      const mixed = [1, 2].flatMap((seq) => sessions.map((session) => event(seq, { session })));
      expect(await log.append(mixed)).toEqual([]);
      for (const session of sessions) expect(await readOn(0, 10, session)).toEqual([1, 2]);
      expect(await readOn(0, 10)).toEqual([]);
    });

    it('names what it did not take, and takes nothing of a session behind that', async () => {
      refuse({ session: 'alpha', seq: 3 });
      const large = (seq: number, session: string) => event(seq, { session, body: noise(190_000) });
      const calls = [1, 2, 3, 4, 5].flatMap((seq) => [large(seq, 'alpha'), large(seq, 'beta')]);
      const failed = await log.append(calls);
      expect(failed.map((index) => calls[index]).map((each) => `${each?.session} ${each?.seq}`)).toEqual([
        'alpha 3',
        'alpha 4',
        'alpha 5',
      ]);
      expect(await readOn(0, 10)).toEqual([1, 2]);
      expect(await readOn(0, 10, 'beta')).toEqual(range(1, 5));
      refuse('none');
      expect(await log.append(failed.flatMap((index) => calls[index] ?? []))).toEqual([]);
      expect(await readOn(0, 10)).toEqual(range(1, 5));
    });

    it('says when nothing was taken because it is away', async () => {
      refuse('call');
      await expect(log.append([event(1), event(1, { session: 'beta' })])).rejects.toBeInstanceOf(DependencyError);
      refuse('none');
      expect(await readOn(0, 10)).toEqual([]);
    });

    it('finds events by their ids, under the `seq` with which each was told first', async () => {
      await log.append(events(1, 4));
      now += 86_400_000;
      await log.append(events(5, 8));
      await log.append([event(9, { id: idOf(3) }), event(10)]);
      await log.append(events(3, 3, 'beta'));
      const others = [idOf(11), idOf(3, 'beta')];
      expect(await log.find('alpha', [idOf(2), ...others, idOf(8), idOf(3)])).toEqual(
        new Map([
          [idOf(2), 2],
          [idOf(8), 8],
          [idOf(3), 3],
        ]),
      );
      expect(await log.find('alpha', [idOf(2)])).toEqual(new Map([[idOf(2), 2]]));
      for (const ids of [others, ['no-id'], []]) expect(await log.find('alpha', ids)).toEqual(new Map());
      expect(await log.find('gamma', [idOf(1)])).toEqual(new Map());
    });

    it('finds the same in parts, with the time at which it was logged', async () => {
      const first = now;
      for (const each of events(1, 5)) await log.append([each]);
      // Appended again with another end: rows that end with the same event.
      await log.append(events(4, 5));
      now += 86_400_000;
      for (const each of events(6, 9)) await log.append([each]);
      await log.append([event(10, { id: idOf(3) })]);
      await log.append(events(1, 3, 'beta'));
      const search = async (ids: readonly string[], telling: Telling) => {
        const found = new Map<string, readonly [seq: number, loggedAt: number]>();
        let left = ids;
        let from: SearchPlace | undefined;
        for (let parts = 1; ; parts += 1) {
          const part: Search = await log.findSome('alpha', left, telling, from);
          for (const [id, { seq, loggedAt }] of part.found) found.set(id, [seq, loggedAt]);
          if (telling === 'last') left = left.filter((id) => !part.found.has(id));
          from = part.next;
          if (from === undefined) return { parts, found: Object.fromEntries(found) };
        }
      };
      const ids = [idOf(1), idOf(3), idOf(4), idOf(7), idOf(3, 'beta')];
      const last = await search(ids, 'last');
      expect(last.parts).toBeGreaterThan(2);
      const once = { [idOf(1)]: [1, first], [idOf(4)]: [4, first], [idOf(7)]: [7, now] };
      expect(last.found).toEqual({ ...once, [idOf(3)]: [10, now] });
      expect(await search([idOf(9), idOf(3)], 'last')).toMatchObject({ parts: 1 });
      expect((await search(ids, 'first')).found).toEqual({ ...once, [idOf(3)]: [3, first] });
      for (const telling of ['first', 'last'] as const)
        expect(await search([], telling)).toEqual({ parts: 1, found: {} });
    });

    it('knows what was logged before a time', async () => {
      expect(await log.lastBefore('alpha', now)).toBe(0);
      const times: { readonly at: number; readonly last: number }[] = [];
      for (let seq = 1; seq <= 90; seq += 9) {
        now += 1_000;
        await log.append([event(seq), event(seq + 2)]);
        times.push({ at: now, last: seq + 2 });
      }
      for (const [index, { at, last }] of times.entries()) {
        const before = times[index - 1]?.last ?? 0;
        expect(await log.lastBefore('alpha', at)).toBe(before);
        expect(await log.lastBefore('alpha', at + 1)).toBe(last);
      }
      expect(await log.lastBefore('alpha', 0)).toBe(0);
      expect(await log.lastBefore('beta', now + 1)).toBe(0);
    });

    it('keeps the time at which an event was first logged', async () => {
      await log.append(events(1, 2));
      now += 1_000;
      await log.append(events(1, 3));
      expect(await log.lastBefore('alpha', now)).toBe(2);
    });

    it('deletes a session in pieces, and no other', async () => {
      await log.append(events(1, 3, 'beta'));
      for (const each of events(1, 260)) await log.append([each]);
      const id = idOf(1, 'beta');
      while (!(await log.deleteSome('alpha'))) expect(await log.find('beta', [id])).toEqual(new Map([[id, 1]]));
      expect(await readOn(0, 10)).toEqual([]);
      expect(await log.deleteSome('alpha')).toBe(true);
      expect(await readOn(0, 10, 'beta')).toEqual([1, 2, 3]);
      await log.append([event(1)]);
      expect(await readOn(0, 10)).toEqual([1]);
    });
  });
}

/** Text that does not get smaller by packing, the same each time. */
function noise(length: number): string {
  let state = length;
  let text = '';
  while (text.length < length) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    text += state.toString(36);
  }
  return text.slice(0, length);
}
