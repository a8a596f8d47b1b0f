import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NotOwnerError } from '#shared/domain/errors.ts';
import { type GatePorts, OutputGate } from './output-gate.ts';

function setUp() {
  const world = { head: 0, owned: true, sent: [] as number[], fenced: [] as unknown[] };
  const waiting: { mark: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  const gatePorts: GatePorts = {
    send: (frame) => world.sent.push(frame[0] ?? -1),
    head: () => world.head,
    durable: (mark) => new Promise((resolve, reject) => waiting.push({ mark, resolve, reject })),
    assertOwned: () => {
      if (!world.owned) throw new NotOwnerError('not ours');
    },
    fenced: (error) => world.fenced.push(error),
  };
  const gate = new OutputGate(gatePorts);
  const push = (frame: number) => gate.push(Uint8Array.of(frame));
  const settle = async () => {
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  return { gatePorts, gate, world, waiting, push, settle };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('OutputGate', () => {
  test('a frame with nothing before it leaves at once', () => {
    const { world, push } = setUp();
    push(1);
    expect(world.sent).toEqual([1]);
  });

  test('a frame waits for what was appended before it, and later frames wait behind it', async () => {
    const { world, waiting, push, settle } = setUp();
    world.head = 3;
    push(1);
    push(2);
    world.head = 4;
    push(3);
    expect(world.sent).toEqual([]);
    expect(waiting.map(({ mark }) => mark)).toEqual([3]);
    waiting[0]?.resolve();
    await settle();
    expect(world.sent).toEqual([1, 2]);
    expect(waiting.at(-1)?.mark).toBe(4);
    waiting[1]?.resolve();
    await settle();
    expect(world.sent).toEqual([1, 2, 3]);
  });

  test('frames wait while the host may not act, and leave in order when it may again', () => {
    const { world, push } = setUp();
    world.owned = false;
    push(1);
    push(2);
    vi.advanceTimersByTime(1_000);
    expect(world.sent).toEqual([]);
    world.owned = true;
    push(3);
    expect(world.sent).toEqual([1, 2, 3]);
  });

  test('what is no answer about ownership is nobody’s to swallow, and nothing leaves', () => {
    const { gatePorts, gate, world, push } = setUp();
    gatePorts.assertOwned = () => {
      throw new TypeError('a bug');
    };
    expect(() => push(1)).toThrow('a bug');
    expect([world.sent, gate.pending]).toEqual([[], 1]);
  });

  test('nothing leaves after it is closed', async () => {
    const { gate, world, waiting, push, settle } = setUp();
    world.head = 1;
    push(1);
    gate.close();
    waiting[0]?.resolve();
    await settle();
    push(2);
    expect({ sent: world.sent, pending: gate.pending }).toEqual({ sent: [], pending: 0 });
  });

  test('a state that can never become durable closes it', async () => {
    const { gate, world, waiting, push, settle } = setUp();
    world.head = 1;
    push(1);
    waiting[0]?.reject(new NotOwnerError('taken'));
    await settle();
    world.head = 0;
    push(2);
    expect(world.sent).toEqual([]);
    expect(world.fenced).toHaveLength(1);
    expect(gate.pending).toBe(0);
  });
});
