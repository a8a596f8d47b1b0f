import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ServerAcks } from './server-acks.ts';

function setUp() {
  const acks = new ServerAcks();
  const ack = (attrs: Record<string, string>) => acks.answered({ tag: 'ack', attrs });
  return { acks, ack };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('ServerAcks', () => {
  test('an ack ends the wait for its own message only', async () => {
    const { acks, ack } = setUp();
    const [one, two] = [acks.expect('ONE', 1_000), acks.expect('TWO', 1_000)];
    ack({ id: 'TWO', t: '1700000000' });
    expect(await two).toEqual({ kind: 'ack', timestamp: 1_700_000_000 });
    vi.advanceTimersByTime(1_000);
    expect(await one).toEqual({ kind: 'timeout' });
  });

  test('an error in the ack is a nack', async () => {
    const { acks, ack } = setUp();
    const answer = acks.expect('ONE', 1_000);
    ack({ id: 'ONE', error: '463' });
    expect(await answer).toEqual({ kind: 'nack', code: '463' });
  });

  test('a receipt proves that the server had the message', async () => {
    const { acks } = setUp();
    const one = acks.expect('ONE', 1_000);
    acks.proven('ONE', 1_700_000_001);
    expect(await one).toEqual({ kind: 'ack', timestamp: 1_700_000_001 });
  });

  test('losing the connection ends every wait without an answer', async () => {
    const { acks } = setUp();
    const answers = [acks.expect('ONE', 1_000), acks.expect('TWO', 1_000)];
    acks.lose();
    expect(await Promise.all(answers)).toEqual([{ kind: 'lost' }, { kind: 'lost' }]);
  });
});
