import { pino } from 'pino';
import { expect, test } from 'vitest';
import { DependencyError } from '#shared/domain/errors.ts';
import { TaskGuard } from './task-guard.ts';

const MINUTE = 60_000;

function setUp() {
  const world = { now: 0, fails: false, said: [] as string[] };
  const say = async (what: string) => {
    world.said.push(what);
    if (world.fails) throw new DependencyError('no agent');
  };
  const guard = new TaskGuard({
    protection: { protect: (minutes) => say(`on for ${minutes}`), unprotect: () => say('off') },
    clock: { monotonic: () => world.now },
    logger: pino({ level: 'silent' }),
  });
  /** As the host looks: every second. */
  async function pass(ms: number, pairing: boolean): Promise<void> {
    for (const end = world.now + ms; world.now < end; world.now += 1_000) {
      guard.look(pairing);
      await new Promise(setImmediate);
    }
  }
  return { world, guard, pass };
}

test('protects a host while a QR code is on show, long before the protection would end', async () => {
  const { world, pass } = setUp();
  await pass(MINUTE, false);
  expect(world.said).toEqual([]);
  await pass(12 * MINUTE, true);
  expect(world.said).toEqual(['on for 10', 'on for 10', 'on for 10']);
  await pass(12 * MINUTE, false);
  expect(world.said.slice(3)).toEqual(['off']);
});

test('tries again what has failed, not at once, and takes nothing for said that was not confirmed', async () => {
  const { world, guard, pass } = setUp();
  world.fails = true;
  await pass(MINUTE, true);
  expect(world.said).toEqual(Array(6).fill('on for 10'));
  await pass(MINUTE, false);
  expect(world.said.slice(6)).toEqual(Array(6).fill('off'));
  world.fails = false;
  await pass(MINUTE, true);
  expect(world.said.slice(12)).toEqual(['on for 10']);
  await guard.release();
  expect(world.said.slice(13)).toEqual(['off']);
});

test('has nothing to give back where nothing was protected', async () => {
  const { world, guard, pass } = setUp();
  await pass(MINUTE, false);
  await guard.release();
  expect(world.said).toEqual([]);
});
