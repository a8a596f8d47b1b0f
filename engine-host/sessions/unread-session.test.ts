import { describe, expect, it, vi } from 'vitest';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { DependencyError, NotFoundError } from '#shared/domain/errors.ts';
import { needsRunner } from '#shared/domain/needs-runner.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import type { EngineEvent } from '../engines/engine.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { createRunner, createWorld, rowOf, stored, type World, working } from './session-runner-world.ts';

const REASON = 'state-unreadable';
const CHECKPOINT = { key: 'checkpoints/alpha/one/x', lsn: 5, epoch: 0 };
const LOST = new NotFoundError('The checkpoint does not exist');

/** A session that has worked, whose state is gone, and is wanted to run again. */
async function unreadable() {
  const session = await working();
  await session.intend({ desired: 'STOPPED' });
  const { world } = session;
  const damage = vi.spyOn(world.checkpoints, 'get').mockRejectedValue(LOST);
  await world.sessions.intend('alpha', 'one', { desired: 'RUNNING' });
  let epoch = 1;
  /** A host goes on with the session. */
  const nextHost = () => {
    epoch += 1;
    const lease = new ManualLease('socket-00', epoch);
    const next = { ...createRunner(world, lease), lease };
    next.runner.wake();
    return next;
  };
  return { ...session, nextHost, repair: () => damage.mockRestore() };
}

const isFailure = (event: EventEnvelope) =>
  event.event === 'session.status' &&
  event.payload.status === 'FAILED' &&
  JSON.stringify(event.payload.data).includes(REASON);
const failures = ({ bus }: Pick<World, 'bus'>) => bus.events.filter(isFailure);

/** What a reader of the log gets that looks after each event. */
function reader({ eventLog }: World) {
  let cursor = 0;
  const ids: string[] = [];
  const look = async () => {
    const page = await eventLog.read('alpha', cursor, 10_000);
    ids.push(...page.map(({ envelope }) => envelope.id));
    cursor = page.at(-1)?.envelope.seq ?? cursor;
    return ids;
  };
  return { look };
}

function expectGrowing(events: readonly EventEnvelope[]): void {
  const seqs = events.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
}

async function untilTold(world: Pick<World, 'sessions'>): Promise<void> {
  await vi.waitFor(async () => expect(await rowOf(world)).toMatchObject({ status: 'FAILED', untold: null }));
}

const ack = (id: string): EngineEvent => ({
  body: { event: 'presence.update', payload: { id, presences: [] } },
  key: id,
  timestamp: 1,
});

describe('a session whose stored state cannot be read', () => {
  it('is not started; its row and one event say so, behind all that was told before', async () => {
    const session = await unreadable();
    const before = session.bus.events.length;
    const { look } = reader(session.world);
    await look();
    const { runner } = session.nextHost();
    await untilTold(session);
    const row = await rowOf(session);
    expect(session.factory.engines).toHaveLength(1);
    expect(row).toMatchObject({ status: 'FAILED', statusReason: REASON });
    expect(session.bus.events.slice(before)).toMatchObject([
      { event: 'session.status', payload: { status: 'FAILED', data: row?.statusData }, me: row?.me },
    ]);
    expectGrowing(session.bus.events);
    expect(await look()).toContain(failures(session)[0]?.id);
    runner.wake();
    await runner.settled();
    expect(failures(session)).toHaveLength(1);
  });

  it('is told of once, under one id and in the same words, where the host died before the bus had it', async () => {
    const session = await unreadable();
    session.bus.refuse('call');
    const published = vi.spyOn(session.bus, 'publish');
    const dying = session.nextHost();
    await vi.waitFor(() => expect(published.mock.calls.flat(2).some(isFailure)).toBe(true));
    const tried = published.mock.calls.flat(2).find(isFailure);
    const row = await rowOf(session);
    expect(row).toMatchObject({ status: 'FAILED', untold: expect.any(Number) });
    expect(row && needsRunner(row)).toBe(true);
    dying.lease.end();
    await dying.runner.abort();
    session.bus.refuse('none');
    const next = session.nextHost();
    await untilTold(session);
    await next.runner.settled();
    const { seq, ...told } = failures(session)[0] ?? {};
    const { seq: triedSeq = 0, ...before } = tried ?? {};
    expect(told).toEqual(before);
    expect(seq).toBeGreaterThan(triedSeq);
    const last = session.nextHost();
    await last.runner.settled();
    expect(failures(session)).toHaveLength(1);
  });

  it('goes on above what was told meanwhile when it can be read again, and a reader of the log gets all of it', async () => {
    const session = await unreadable();
    const { look } = reader(session.world);
    await look();
    const failed = session.nextHost();
    await untilTold(session);
    // As many as no block of numbers that the state has reserved has room for.
    for (let count = 0; count < 2_500; count += 1) failed.runner.tell(ack(`a${count}`), 'one', () => {});
    await failed.runner.handOver();
    await look();
    // All of it has expired: only the row knows.
    await session.eventLog.deleteSome('alpha');
    session.repair();
    session.nextHost();
    await vi.waitFor(() => expect(session.bus.events.at(-1)).toMatchObject({ payload: { status: 'STARTING' } }));
    session.factory.last.work();
    await vi.waitFor(() => expect(session.bus.events.at(-1)).toMatchObject({ payload: { status: 'WORKING' } }));
    expect(session.factory.last.context.state.get('creds')).toEqual(Uint8Array.of(7));
    expectGrowing(session.bus.events);
    expect(await look()).toEqual(session.bus.events.map(({ id }) => id));
  });

  it('tells first that it was unreadable when it can be read before the bus has taken that', async () => {
    const session = await unreadable();
    const { look } = reader(session.world);
    await look();
    session.bus.refuse('call');
    const { intend } = session.nextHost();
    await vi.waitFor(async () => expect(await rowOf(session)).toMatchObject({ status: 'FAILED' }));
    session.repair();
    await intend({ restartToken: 'r1', status: 'STARTING' });
    session.factory.last.work();
    session.bus.refuse('none');
    await vi.waitFor(() =>
      expect(session.told.slice(-3).map(({ event }) => event)).toEqual(['FAILED', 'STARTING', 'WORKING']),
    );
    expectGrowing(session.bus.events);
    expect(await look()).toEqual(session.bus.events.map(({ id }) => id));
  });

  it('gives no number twice when it can be read before the row has the reservation', async () => {
    const session = await unreadable();
    session.bus.refuse('call');
    const dying = session.nextHost();
    await vi.waitFor(async () => expect(await rowOf(session)).toMatchObject({ reservedSeq: expect.any(Number) }));
    dying.lease.end();
    session.bus.refuse('none');
    session.repair();
    const { sessions, checkpoints } = session.world;
    vi.spyOn(checkpoints, 'get').mockRejectedValueOnce(LOST);
    const report = sessions.report.bind(sessions);
    let isReserved = false;
    vi.spyOn(sessions, 'report').mockImplementation(async (...given) => {
      if (given[3].reservedSeq !== undefined && !isReserved) throw new DependencyError('no answer');
      return report(...given);
    });
    session.nextHost();
    await vi.waitFor(() => expect(checkpoints.get).toHaveBeenCalledTimes(2));
    isReserved = true;
    await vi.waitFor(() => expect(session.told.slice(-2).map(({ event }) => event)).toEqual(['FAILED', 'STARTING']));
    expectGrowing(session.bus.events);
  });

  it('gives numbers above those that an owner before has reserved and not used up', async () => {
    const session = await unreadable();
    session.eventLog.refuse('call');
    const dying = session.nextHost();
    await vi.waitFor(async () => expect(await rowOf(session)).toMatchObject({ reservedSeq: expect.any(Number) }));
    dying.lease.end();
    session.eventLog.refuse('none');
    const reserved = (await rowOf(session))?.reservedSeq ?? 0;
    session.nextHost();
    await untilTold(session);
    expect(failures(session)[0]?.seq).toBeGreaterThan(reserved);
  });

  it('is not told of under a number that the row does not have yet', async () => {
    const session = await unreadable();
    const { sessions } = session.world;
    const report = sessions.report.bind(sessions);
    const reserving = vi.spyOn(sessions, 'report').mockImplementation(async (...given) => {
      if (given[3].reservedSeq !== undefined) throw new DependencyError('no answer');
      return report(...given);
    });
    session.nextHost();
    await vi.waitFor(() => expect(reserving.mock.calls.some(([, , , { reservedSeq }]) => reservedSeq)).toBe(true));
    await new Promise(setImmediate);
    const logged = await session.eventLog.read('alpha', 0, 1_000);
    expect(logged.filter(({ envelope }) => isFailure(envelope))).toEqual([]);
    expect(await rowOf(session)).toMatchObject({ status: 'FAILED', untold: expect.any(Number) });
    reserving.mockRestore();
    await untilTold(session);
    expect(failures(session)).toHaveLength(1);
  });

  it('tells of its jobs, of its stop, and is gone then', async () => {
    const session = await unreadable();
    const { runner, intend, gone } = session.nextHost();
    await untilTold(session);
    const published = vi.fn();
    runner.tell(ack('job'), 'one', published);
    await vi.waitFor(() => expect(published).toHaveBeenCalledOnce());
    expect(session.bus.events.at(-1)).toMatchObject({ payload: { id: 'job' } });
    await intend({ desired: 'STOPPED' });
    expect(session.bus.events.at(-1)).toMatchObject({ payload: { status: 'STOPPED' } });
    expect(gone).toHaveBeenCalledOnce();
    expectGrowing(session.bus.events);
  });

  it('leaves room below its numbers for what an owner before has on its way to the log', async () => {
    const session = await unreadable();
    const last = session.bus.events.at(-1)?.seq ?? 0;
    session.nextHost();
    await untilTold(session);
    const payload = waMessage({ id: 'AAAAA1' });
    const late = eventEnvelope({ event: 'message', payload }, { id: 'evt_late', seq: last + 1 });
    await session.eventLog.append([late]);
    const found = await session.eventLog.find('alpha', [late.id, failures(session)[0]?.id ?? '']);
    expect(found.size).toBe(2);
  });

  it('is handed over when the bus has what there is to tell', async () => {
    const session = await unreadable();
    session.bus.refuse('call');
    const publish = vi.spyOn(session.bus, 'publish');
    const { runner } = session.nextHost();
    await vi.waitFor(() => expect(publish).toHaveBeenCalled());
    const handedOver = vi.fn();
    void runner.handOver().then(handedOver);
    publish.mockClear();
    await vi.waitFor(() => expect(publish).toHaveBeenCalledTimes(2));
    expect(handedOver).not.toHaveBeenCalled();
    session.bus.refuse('none');
    await vi.waitFor(() => expect(handedOver).toHaveBeenCalled());
    expect(await rowOf(session)).toMatchObject({ status: 'FAILED', untold: null });
  });

  it('has events numbered by the time where the log has nothing of it any more', async () => {
    const createdAt = Date.now() - 86_400_000;
    const world = await createWorld({ createdAt, checkpoint: CHECKPOINT });
    const before = Date.now();
    createRunner(world).runner.wake();
    await untilTold(world);
    expect(failures(world)[0]?.seq).toBeGreaterThan(before);
  });

  it('has events numbered above all that backups may miss where it came from one', async () => {
    const world = await createWorld({ restored: 'first', checkpoint: CHECKPOINT });
    const last = eventEnvelope({ event: 'message', payload: waMessage({ id: 'AAAAA1' }) }, { seq: 9_000_000_000_000 });
    await world.eventLog.append([last]);
    createRunner(world).runner.wake();
    await untilTold(world);
    expect(failures(world)[0]?.seq).toBeGreaterThan(9_000_000_000_000 + 100_000_000);
  });

  it('starts over after a logout', async () => {
    const world = await createWorld({ checkpoint: CHECKPOINT });
    const last = eventEnvelope({ event: 'message', payload: waMessage({ id: 'AAAAA1' }) }, { seq: 9_000_000_000_000 });
    await world.eventLog.append([last]);
    const { runner, intend } = createRunner(world);
    runner.wake();
    await untilTold(world);
    await intend({ logoutToken: 'l1', status: 'STARTING' });
    expect(world.factory.told).toEqual(['start']);
    expect(await rowOf(world)).toMatchObject({ status: 'STARTING', checkpoint: { lsn: 6 } });
    world.factory.last.context.state.append([{ key: 'creds', value: Uint8Array.of(7) }]);
    world.factory.last.work();
    await intend({ desired: 'STOPPED' });
    expect((await stored(world))?.get('creds')).toEqual(Uint8Array.of(7));
    expectGrowing([last, ...world.bus.events]);
  });
});
