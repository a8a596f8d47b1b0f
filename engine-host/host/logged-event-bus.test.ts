import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryEventBus } from '#shared/adapters/memory/memory-event-bus.ts';
import { MemoryEventLog } from '#shared/adapters/memory/memory-event-log.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { LoggedEventBus } from './logged-event-bus.ts';

const message = (seq: number, session = 'alpha') =>
  eventEnvelope(
    { event: 'message.any', payload: waMessage({ id: `AAAAA${seq}` }) },
    { id: `evt_${session}${seq}`, session, seq },
  );
const inLog = async (log: MemoryEventLog, session = 'alpha') =>
  (await log.read(session, 0, 100)).map(({ envelope: { seq } }) => seq);

describe('a bus with a log in front of it', () => {
  let log: MemoryEventLog;
  let inner: MemoryEventBus;
  let bus: LoggedEventBus;
  let heardAt: { readonly seq: number; readonly logged: readonly number[] }[];
  beforeEach(() => {
    log = new MemoryEventLog();
    heardAt = [];
    inner = new MemoryEventBus({
      target: async ({ seq, session }) => void heardAt.push({ seq, logged: await inLog(log, session) }),
    });
    bus = new LoggedEventBus(log, inner);
  });

  it('tells of an event when it is in the log', async () => {
    expect(await bus.publish([message(1), message(2)])).toEqual([]);
    expect(heardAt).toEqual([
      { seq: 1, logged: [1, 2] },
      { seq: 2, logged: [1, 2] },
    ]);
  });

  it('tells of nothing that the log has not taken, and names what either has refused', async () => {
    log.refuse(({ seq, session }) => session === 'alpha' && seq === 2);
    inner.refuse(({ session, seq }) => session === 'beta' && seq === 1);
    const events = [message(1), message(2), message(1, 'beta'), message(3), message(2, 'beta')];
    expect([...(await bus.publish(events))].sort()).toEqual([1, 2, 3]);
    expect(inner.events.map(({ session, seq }) => [session, seq])).toEqual([
      ['alpha', 1],
      ['beta', 2],
    ]);
    log.refuse('none');
    inner.refuse('none');
    expect(await bus.publish([message(2), message(3), message(1, 'beta')])).toEqual([]);
    expect(await inLog(log)).toEqual([1, 2, 3]);
    expect(await inLog(log, 'beta')).toEqual([1, 2]);
  });

  it('logs nothing twice, whatever the bus refuses', async () => {
    const appends: (readonly number[])[] = [];
    const counting: Pick<MemoryEventLog, 'append'> = {
      append: async (events) => {
        appends.push(events.map(({ seq }) => seq));
        return await log.append(events);
      },
    };
    bus = new LoggedEventBus(counting, inner);
    const [first, second, third] = [message(1), message(2), message(3)];
    inner.refuse(({ seq }) => seq === 2);
    expect(await bus.publish([first, second, third])).toEqual([1]);
    inner.refuse('call');
    await expect(bus.publish([second, message(4)])).rejects.toBeInstanceOf(DependencyError);
    inner.refuse('none');
    expect(await bus.publish([second])).toEqual([]);
    expect(appends).toEqual([[1, 2, 3], [4]]);
    expect(inner.events.map(({ seq }) => seq)).toEqual([1, 3, 2]);
  });

  it('does not tell what was lost to another host while it was logged', async () => {
    const events = [message(1), message(1, 'beta')];
    const asked: number[] = [];
    const isOurs = (index: number) => {
      asked.push(index);
      return events[index]?.session === 'beta';
    };
    expect(await bus.publish(events, isOurs)).toEqual([0]);
    expect(asked).toEqual([0, 1]);
    expect(inner.events.map(({ session }) => session)).toEqual(['beta']);
  });

  it('asks the bus for nothing when the log took nothing', async () => {
    inner.refuse('call');
    log.refuse(() => true);
    expect(await bus.publish([message(1), message(2)])).toEqual([0, 1]);
  });

  it('fails as a whole with the log or the bus', async () => {
    log.refuse('call');
    await expect(bus.publish([message(1)])).rejects.toBeInstanceOf(DependencyError);
    expect(inner.events).toEqual([]);
    log.refuse('none');
    inner.refuse('call');
    await expect(bus.publish([message(1)])).rejects.toBeInstanceOf(DependencyError);
  });
});
