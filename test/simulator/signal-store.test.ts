import { expect, test } from 'vitest';
import { useSimulator } from './test-bed.ts';

const bed = useSimulator();

test('two phones that write to each other for the first time at the same moment go on reading each other', async () => {
  const { simulator } = bed;
  const [anna, bert] = ['Anna', 'Bert'].map((name) => simulator.addContact({ name, script: { decrypt: 'all' } }).phone);
  if (anna === undefined || bert === undefined) throw new Error('no contacts');
  for (const [round, text] of ['one', 'two', 'three'].entries()) {
    await Promise.all([simulator.send(anna, { to: bert, text }), simulator.send(bert, { to: anna, text })]);
    for (const phone of [anna, bert]) {
      const [entry] = await simulator.inbox(phone, { since: round, waitMs: 5_000 });
      expect(entry?.text).toBe(text);
    }
  }
  expect(simulator.stats()).toMatchObject({ decryptionFailures: 0, retries: 0 });
});
