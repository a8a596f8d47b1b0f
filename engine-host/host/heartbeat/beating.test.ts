import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NotOwnerError } from '#shared/domain/errors.ts';
import { Beating } from './beating.ts';
import type { HostNews } from './heartbeat.ts';
import { SharedPulse } from './shared-pulse.ts';

const EVERY_MS = 2_000;

function setUp() {
  const sent: HostNews[] = [];
  const world = { outcome: async (): Promise<void> => {}, lost: 0 };
  const registration = { hostId: 'a', incarnation: 'one', rvn: 1, sentAt: 0 };
  const beating = new Beating({
    store: {
      heartbeat: (_host, _incarnation, _rvn, load, state) => {
        sent.push({ load, state });
        return world.outcome();
      },
    },
    clock: { monotonic: () => performance.now() },
    every: EVERY_MS,
    registration: { ...registration, news: { load: 0, state: 'ACTIVE' } },
    pulse: SharedPulse.create(registration),
    events: {
      good: () => {},
      failed: () => {},
      lost: () => {
        world.lost += 1;
      },
    },
  });
  return { beating, sent, world };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('tells at once that the host drains, and what it carries with the next heartbeat', async () => {
  const { beating, sent } = setUp();
  beating.say({ load: 3, state: 'ACTIVE' });
  expect(sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect(sent).toEqual([{ load: 3, state: 'ACTIVE' }]);
  beating.say({ load: 3, state: 'DRAINING' });
  expect(sent).toHaveLength(2);
  await beating.stop();
});

test('sends the next heartbeat although the one before hangs', async () => {
  const { beating, sent, world } = setUp();
  world.outcome = () => new Promise(() => {});
  await vi.advanceTimersByTimeAsync(3.5 * EVERY_MS);
  expect(sent).toHaveLength(2);
  void beating.stop();
});

test('is silent after a loss', async () => {
  const { sent, world } = setUp();
  world.outcome = () => Promise.reject(new NotOwnerError('declared dead'));
  await vi.advanceTimersByTimeAsync(10 * EVERY_MS);
  expect({ sent: sent.length, lost: world.lost }).toEqual({ sent: 1, lost: 1 });
});
