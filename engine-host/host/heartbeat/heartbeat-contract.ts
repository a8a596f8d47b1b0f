import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HostRow } from '#shared/contracts/rows.ts';
import type { OwnershipStore } from '#shared/ports/ownership-store.ts';
import type { Heartbeat, Pulse } from './heartbeat.ts';

/** A heartbeat that beats every few milliseconds, and the store that it writes to. */
export interface HeartbeatWorld {
  readonly heartbeat: Heartbeat;
  readonly store: OwnershipStore;
  /** The heartbeat's monotonic clock. */
  readonly now: () => number;
  /** From now on the heartbeats, and only they, get no good answer, or do again. */
  interrupt(isInterrupted: boolean): void;
  close(): Promise<void>;
}

const row: HostRow = {
  hostId: 'host-1',
  incarnation: 'one',
  pool: 'socket',
  rvn: 1,
  state: 'ACTIVE',
  load: 0,
  startedAt: 0,
  ttl: 0,
};
const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 10 });

/** What every heartbeat does. @param factory gives an empty store, and a heartbeat that has not begun */
export function defineHeartbeatContract(name: string, factory: () => Promise<HeartbeatWorld>): void {
  describe(`${name}: a heartbeat`, () => {
    let world: HeartbeatWorld;
    let pulse: Pulse;
    let beganAt: number;
    const told = { good: 0, lost: 0, failed: 0 };

    beforeEach(async () => {
      world = await factory();
      Object.assign(told, { good: 0, lost: 0, failed: 0 });
      await world.store.register(row, undefined);
      beganAt = world.now();
      pulse = begin('one');
    });
    afterEach(async () => {
      await pulse.stop();
      await world.close();
    });

    function begin(incarnation: string): Pulse {
      const registration = {
        hostId: row.hostId,
        incarnation,
        rvn: 1,
        sentAt: beganAt,
        news: { load: 0, state: 'ACTIVE' },
      } as const;
      return world.heartbeat.begin(registration, {
        good: () => {
          told.good += 1;
        },
        lost: () => {
          told.lost += 1;
        },
        failed: () => {
          told.failed += 1;
        },
      });
    }
    async function host(): Promise<HostRow> {
      const [found] = await world.store.hosts();
      if (found === undefined) throw new Error('the host has no row');
      return found;
    }

    it('moves the row, and knows when the newest good heartbeat was sent', async () => {
      expect(pulse.sentAt).toBeLessThanOrEqual(beganAt);
      expect(pulse.sentAt).toBeGreaterThan(beganAt - 1);
      await until(async () => expect((await host()).rvn).toBeGreaterThan(3));
      await until(() => expect(pulse.sentAt).toBeGreaterThan(beganAt));
      expect(pulse.sentAt).toBeLessThanOrEqual(world.now());
      await until(() => expect(told.good).toBeGreaterThan(2));
      expect({ ...told, isLost: pulse.isLost }).toMatchObject({ lost: 0, isLost: false });
    });

    it('tells what the host says', async () => {
      pulse.say({ load: 7, state: 'ACTIVE' });
      await until(async () => expect(await host()).toMatchObject({ load: 7, state: 'ACTIVE' }));
      pulse.say({ load: 3, state: 'DRAINING' });
      await until(async () => expect(await host()).toMatchObject({ load: 3, state: 'DRAINING' }));
    });

    it('learns that it was declared dead, says so once, and ends', async () => {
      let dead = false;
      while (!dead) dead = await world.store.declareDead('host-1', 'one', (await host()).rvn);
      await until(() => expect(told.lost).toBe(1));
      expect(pulse.isLost).toBe(true);
      const { rvn } = await host();
      pulse.say({ load: 9, state: 'DRAINING' });
      await pulse.stop();
      expect(await host()).toMatchObject({ state: 'DEAD', load: 0, rvn });
      expect(told.lost).toBe(1);
    });

    it('learns that another incarnation has its place, and begins again under a new one', async () => {
      await world.store.register({ ...row, incarnation: 'two' }, 'one');
      await until(() => expect(told.lost).toBe(1));
      await pulse.stop();
      pulse = begin('two');
      expect(pulse.isLost).toBe(false);
      await until(async () => expect(await host()).toMatchObject({ incarnation: 'two', rvn: expect.any(Number) }));
      await until(async () => expect((await host()).rvn).toBeGreaterThan(2));
      expect(told.lost).toBe(1);
    });

    it('takes no failure for a loss, nor for a good heartbeat, and goes on after it', async () => {
      await until(() => expect(told.good).toBeGreaterThan(0));
      world.interrupt(true);
      await until(() => expect(told.failed).toBeGreaterThan(2));
      const { good } = told;
      const { sentAt } = pulse;
      const { failed } = told;
      await until(() => expect(told.failed).toBeGreaterThan(failed + 2));
      expect({ good: told.good, sentAt: pulse.sentAt, isLost: pulse.isLost }).toEqual({ good, sentAt, isLost: false });
      world.interrupt(false);
      await until(() => expect(pulse.sentAt).toBeGreaterThan(sentAt));
      expect(told.lost).toBe(0);
    });

    it('writes nothing after it has stopped', async () => {
      await until(async () => expect((await host()).rvn).toBeGreaterThan(2));
      await pulse.stop();
      await world.store.deregister('host-1', 'one');
      await world.store.register({ ...row, incarnation: 'three' }, undefined);
      pulse.say({ load: 9, state: 'DRAINING' });
      await pulse.stop();
      expect(await host()).toMatchObject({ incarnation: 'three', load: 0, rvn: 1 });
      expect(told.lost).toBe(0);
    });
  });
}
