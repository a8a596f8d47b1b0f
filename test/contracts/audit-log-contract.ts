import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '#shared/contracts/audit.ts';
import type { AuditLog } from '#shared/ports/audit-log.ts';

const NOVEMBER = Date.UTC(2026, 10, 26);
const SEPTEMBER = Date.UTC(2026, 8, 30, 23, 59, 59, 999);
const id = (number: number) => String(number).padStart(26, '0');

function entry(number: number, at: number, fields: Partial<AuditEntry> = {}): AuditEntry {
  return {
    id: id(number),
    at,
    operation: 'stopSession',
    actor: { keyId: 'key_id_1', principal: null, system: null },
    session: 'alpha',
    keyId: null,
    fields: [],
    requestId: 'request',
    sourceAddress: '127.0.0.1',
    outcome: null,
    ...fields,
  };
}

/** What every audit log does. @param factory gives an empty one */
export function defineAuditLogContract(name: string, factory: () => Promise<AuditLog>): void {
  describe(`${name}: an audit log`, () => {
    let log: AuditLog;
    beforeEach(async () => {
      log = await factory();
    });
    const all = { from: SEPTEMBER, to: NOVEMBER + 10, limit: 100 };

    it('tells the newest first, over months in which nothing happened', async () => {
      const entries = [entry(1, SEPTEMBER), entry(2, NOVEMBER), entry(3, NOVEMBER), entry(4, NOVEMBER + 1)];
      for (const one of entries) await log.write(one);
      expect(await log.list(all)).toEqual({ entries: entries.toReversed(), next: undefined });
    });

    it('says how it ended when it is told', async () => {
      const begun = entry(1, NOVEMBER);
      await log.write(begun);
      await log.write({ ...begun, outcome: 'done', session: 'beta' });
      expect((await log.list(all)).entries).toEqual([{ ...begun, outcome: 'done', session: 'beta' }]);
    });

    it('tells of a time, both ends included, and of a session', async () => {
      for (let number = 0; number < 5; number += 1) {
        await log.write(entry(number, NOVEMBER + number, { session: number === 2 ? 'beta' : 'alpha' }));
      }
      const found = async (query: object) =>
        (await log.list({ ...all, ...query })).entries.map(({ at }) => at - NOVEMBER);
      expect(await found({ from: NOVEMBER + 1, to: NOVEMBER + 3 })).toEqual([3, 2, 1]);
      expect(await found({ session: 'beta' })).toEqual([2]);
      expect(await found({ session: 'alpha', limit: 3 })).toEqual([4, 3, 1]);
      expect(await found({ to: SEPTEMBER })).toEqual([]);
      expect(await found({ from: NOVEMBER + 3, to: NOVEMBER + 1 })).toEqual([]);
      expect(await found({ from: NOVEMBER + 3, next: `${NOVEMBER + 1}_${id(0)}` })).toEqual([]);
    });

    it('goes on where a page has ended', async () => {
      const entries = [entry(1, SEPTEMBER), entry(2, NOVEMBER), entry(3, NOVEMBER), entry(4, NOVEMBER)];
      for (const one of entries) await log.write(one);
      const seen: AuditEntry[] = [];
      let next: string | undefined;
      do {
        const page = await log.list({ ...all, limit: 1, next });
        seen.push(...page.entries);
        next = page.next;
      } while (next !== undefined);
      expect(seen).toEqual(entries.toReversed());
    });

    it('reads nothing outside of the time, whatever the page says', async () => {
      await log.write(entry(1, NOVEMBER));
      const next = `9999999999999_${id(0)}`;
      expect((await log.list({ ...all, to: NOVEMBER - 1, next })).entries).toEqual([]);
      expect((await log.list({ ...all, next })).entries).toHaveLength(1);
    });
  });
}
