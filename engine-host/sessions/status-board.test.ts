import { expect, it } from 'vitest';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import type { EngineEvent } from '../engines/engine.ts';
import { sessionRow } from './row-fixtures.ts';
import { StatusBoard } from './status-board.ts';

const WHY = { reason: 'banned', message: 'WhatsApp has banned the account' };
const PAUSE = { deliveryBrake: { isActive: false, timeEnforcementEnds: 7 } };

async function world() {
  const sessions = new MemorySessionStore();
  await sessions.create(sessionRow());
  const told: { readonly event: EngineEvent; readonly published: (() => void) | undefined }[] = [];
  const row = async () => {
    const found = await sessions.get('alpha');
    if (found === undefined) throw new Error('The row is gone');
    return found;
  };
  /** As an owner makes it of the row. */
  const board = async () =>
    new StatusBoard(await row(), {
      session: 'alpha',
      hostId: 'host-1',
      clock: systemClock,
      report: (report) => sessions.report('alpha', 'one', 1, report),
      onFailure: () => {},
      emit: (event, published) => told.push({ event, published }),
    });
  return { told, row, board };
}

it('a pause does not replace what a status says that is still to be told, and is told itself', async () => {
  const { told, row, board } = await world();
  const first = await board();
  await first.set({ status: 'FAILED', ...WHY });
  await first.announce({ data: PAUSE });
  expect(told.map(({ event }) => event.body.payload)).toMatchObject([{ data: WHY }, { data: PAUSE }]);
  const { statusData } = await row();
  expect(await row()).toMatchObject({ status: 'FAILED', statusData: WHY, untold: expect.any(Number) });
  (await board()).tellInherited(statusData ?? null);
  expect(told.at(-1)?.event).toEqual(told[0]?.event);
});

it('a pause is in the row where no status is to be told', async () => {
  const { told, row, board } = await world();
  const only = await board();
  await only.set({ status: 'FAILED', ...WHY });
  told[0]?.published?.();
  await only.announce({ data: PAUSE });
  expect(await row()).toMatchObject({ status: 'FAILED', statusData: PAUSE, untold: null });
});
