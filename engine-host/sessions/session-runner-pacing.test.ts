import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { sendCommandSchema } from '#shared/contracts/commands.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { ManualLease } from '../host/manual-lease.ts';
import type { SessionRunner } from './session-runner.ts';
import { createRunner, rowOf, type World, working } from './session-runner-world.ts';

/** Rows and bus are in memory: after a turn of the event loop all has happened that no timer holds back. */
const nextTurn = () => new Promise(setImmediate);
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('SessionRunner and pacing', () => {
  const send = sendCommandSchema.parse({ type: 'sendText', chatId: '4915187654321@c.us', text: 'hello' });
  const leave = ({ runner }: { runner: SessionRunner }) => {
    const turn = runner.pacer?.turn(send, false);
    if (turn?.kind === 'now') turn.leave();
    return turn?.kind;
  };

  it('says in the row when the next send may leave, and another host goes on from there', async () => {
    const session = await working({ config: { pacing: { profile: 'safe' } } });
    const before = Date.now();
    expect(leave(session)).toBe('now');
    expect(leave(session)).toBe('later');
    await vi.waitFor(async () => expect((await rowOf(session))?.nextSendAt).toBeGreaterThanOrEqual(before + 5_000));
    await session.runner.handOver();
    const next = createRunner(session.world, new ManualLease('socket-00', 2));
    next.runner.wake();
    await next.runner.settled();
    session.factory.last.work();
    await vi.waitFor(() => expect(next.runner.status).toBe('WORKING'));
    expect(leave(next)).toBe('later');
  });

  it('hears who writes, and takes new rules without a restart', async () => {
    const session = await working({ config: { pacing: { profile: 'safe' } } });
    leave(session);
    const sooner = vi.fn();
    expect(leave(session)).toBe('later');
    session.runner.pacer?.onceSooner(sooner);
    const { from, to } = { from: '4915187654321@c.us', to: '4915112345678@c.us' };
    const payload = { ...waMessage({ id: '3EB0', chatId: from, timestamp: Date.now() / 1000 }), to };
    session.factory.last.context.emit({ body: { event: 'message', payload }, key: 'm1', timestamp: Date.now() });
    expect(sooner).toHaveBeenCalledTimes(1);
    session.runner.pacer?.onceSooner(sooner);
    await session.intend({ config: { pacing: { profile: 'off' } } });
    expect(sooner).toHaveBeenCalledTimes(2);
    expect(leave(session)).toBeUndefined();
    expect(session.factory.told).toEqual(['start']);
  });

  it('tells once of a restriction, in the status it is in', async () => {
    const session = await working({ config: { pacing: { profile: 'safe' } } });
    session.runner.restricted('nack-463', TRACEPARENT);
    session.runner.restricted('nack-463', TRACEPARENT);
    const data = { code: 'nack-463', reachoutTimelock: { isActive: true, timeEnforcementEnds: expect.any(Number) } };
    await vi.waitFor(async () => expect(await rowOf(session)).toMatchObject({ status: 'WORKING', statusData: data }));
    const told = () => session.bus.events.filter(({ event }) => event === 'session.status');
    await vi.waitFor(() =>
      expect(told().at(-1)).toMatchObject({
        payload: { name: 'alpha', status: 'WORKING', data },
        traceparent: TRACEPARENT,
      }),
    );
    expect(told().filter(({ payload }) => 'data' in payload && payload.data !== null)).toHaveLength(1);
  });

  it('tells of a pause because too little is delivered, and that it is over', async () => {
    const session = await working({ config: { pacing: { profile: 'safe' } } });
    const time = { now: Date.now() };
    const clock = vi.spyOn(systemClock, 'now').mockImplementation(() => time.now);
    const sent = (id: string) => {
      const payload = { ...waMessage({ id, fromMe: true }), source: 'api' as const };
      session.factory.last.context.emit({ body: { event: 'message.any', payload }, key: id, timestamp: time.now });
    };
    const data = () =>
      session.bus.events.flatMap(({ event, payload }) => (event === 'session.status' ? [payload.data] : [])).at(-1);
    for (let count = 0; count < 50; count += 1) sent(`3EB0AAAA${count}`);
    time.now += 3_600_000;
    sent('3EB0AAAALAST');
    const timeEnforcementEnds = Math.ceil(time.now / 1000) + 86_400;
    const begun = { isActive: true, delivered: 0, sends: 50, timeEnforcementEnds };
    await vi.waitFor(() => expect(data()).toEqual({ deliveryBrake: begun }));
    time.now += 86_400_000;
    session.factory.last.context.report({ status: 'STARTING', reason: 'connection-lost' });
    session.factory.last.work();
    await vi.waitFor(() => expect(data()).toEqual({ deliveryBrake: { isActive: false, timeEnforcementEnds } }));
    clock.mockRestore();
  });

  describe('tells once that a restriction is over', () => {
    const DAY = 86_400_000;
    const over = (world: World) =>
      world.bus.events.flatMap((envelope) => {
        if (envelope.event !== 'session.status') return [];
        const { data } = envelope.payload;
        const isOver = JSON.stringify(data).includes('"isActive":false');
        return isOver ? [{ id: envelope.id, seq: envelope.seq, data }] : [];
      });
    const restricted = async () => {
      const session = await working({ config: { pacing: { profile: 'safe' } } });
      const time = { now: Date.now() };
      vi.spyOn(systemClock, 'now').mockImplementation(() => time.now);
      session.runner.restricted('nack-463', TRACEPARENT);
      await vi.waitFor(() =>
        expect(session.bus.events.at(-1)).toMatchObject({ payload: { data: { code: 'nack-463' } } }),
      );
      return { ...session, time };
    };
    /** Another host goes on with the session; its engine works at once. */
    const nextHost = async (world: World, epoch: number) => {
      const next = createRunner(world, new ManualLease('socket-00', epoch));
      world.factory.onStart = (engine) => engine.work();
      next.runner.wake();
      await vi.waitFor(() => expect(next.runner.status).toBe('WORKING'));
      return next;
    };
    afterEach(() => {
      vi.useRealTimers();
      vi.restoreAllMocks();
    });

    it('when its time comes', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const session = await restricted();
      session.time.now += DAY - 1;
      vi.advanceTimersByTime(DAY - 1);
      await nextTurn();
      expect(over(session.world)).toEqual([]);
      session.time.now += 1;
      vi.advanceTimersByTime(1);
      await vi.waitFor(() => expect(over(session.world)).toHaveLength(1));
      const timelock = { isActive: false, timeEnforcementEnds: Math.ceil(session.time.now / 1000) };
      expect(over(session.world)[0]?.data).toMatchObject({ reachoutTimelock: timelock });
      session.factory.last.context.report({ status: 'STARTING', reason: 'connection-lost' });
      session.factory.last.work();
      await session.runner.handOver();
      const next = await nextHost(session.world, 2);
      await next.runner.handOver();
      expect(over(session.world)).toHaveLength(1);
    });

    it('by the host that has the session then, also when it came after the end', async () => {
      const session = await restricted();
      await session.runner.handOver();
      session.time.now += 2 * DAY;
      const next = await nextHost(session.world, 2);
      await vi.waitFor(() => expect(over(session.world)).toHaveLength(1));
      await next.runner.handOver();
      const third = await nextHost(session.world, 3);
      await third.runner.handOver();
      expect(over(session.world)).toHaveLength(1);
    });

    it('again, under the same id, where a host died before the bus had it', async () => {
      const session = await restricted();
      await session.runner.handOver();
      session.time.now += 2 * DAY;
      session.bus.refuse('call');
      const next = await nextHost(session.world, 2);
      const lost = vi.spyOn(session.bus, 'publish');
      await vi.waitFor(() => expect(JSON.stringify(lost.mock.calls)).toContain('"isActive":false'));
      const tried = lost.mock.calls.flat(2).find((envelope) => JSON.stringify(envelope).includes('"isActive":false'));
      await next.runner.abort();
      next.lease.end();
      session.time.now += 5_000;
      const third = await nextHost(session.world, 3);
      session.factory.last.context.report({ status: 'STARTING', reason: 'connection-lost' });
      session.factory.last.work();
      session.bus.refuse('none');
      await third.runner.handOver();
      expect(over(session.world).map(({ id }) => id)).toEqual([tried?.id]);
    });

    it('and not while another one is on', async () => {
      const session = await restricted();
      session.time.now += DAY + 1;
      session.runner.restricted('nack-463', TRACEPARENT);
      session.factory.last.context.report({ status: 'STARTING', reason: 'connection-lost' });
      session.factory.last.work();
      await session.runner.handOver();
      expect(over(session.world)).toEqual([]);
    });
  });
});
