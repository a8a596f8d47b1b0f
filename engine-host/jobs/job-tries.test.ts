import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JobRow } from '#shared/contracts/jobs.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import type { CommandHandlers, CommandOutcome } from '../engines/engine.ts';
import { check, createPacer, createScene, type Scene, sendImage } from './job-executor-world.ts';

describe('a handler that hangs', () => {
  const MINUTE = 60_000;
  const forever = new Promise<never>(() => {});
  /** Freezes, but only when it is told to; gives what came of it. */
  function sleeper() {
    const awake = Promise.withResolvers<void>();
    const slept = Promise.withResolvers<unknown>();
    const sendText: CommandHandlers['sendText'] = async (_command, job) => {
      await awake.promise;
      const froze = job.freeze({ content: Uint8Array.of(1) });
      slept.resolve(await froze.catch((error: unknown) => error));
      return { kind: 'sent', timestamp: 1 };
    };
    return { sendText, wake: () => awake.resolve(), slept: slept.promise };
  }
  async function createTimedScene(options: Scene) {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    return createScene(options);
  }

  it('is given up after five minutes, and tried again; after three times its send fails', async () => {
    const scene = await createTimedScene({ handlers: { sendText: () => forever } });
    const waits: unknown[] = [];
    for (let count = 0; count < 3; count += 1) {
      const run = scene.run();
      await vi.advanceTimersByTimeAsync(5 * MINUTE - 1);
      expect(await Promise.race([run, 'still'])).toBe('still');
      await vi.advanceTimersByTimeAsync(1);
      waits.push(await run);
    }
    expect(waits).toEqual([{ kind: 'postpone', seconds: 1 }, { kind: 'postpone', seconds: 4 }, { kind: 'done' }]);
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code: 'timed-out' } });
    expect(scene.emitted).toMatchObject([{ body: { payload: { ack: -1 } } }]);
  });

  it('freezes nothing when it wakes up', async () => {
    const { sendText, wake, slept } = sleeper();
    const { pacer, reported } = createPacer();
    const scene = await createTimedScene({ pacer, handlers: { sendText } });
    const run = scene.run();
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    await run;
    wake();
    expect(await slept).toBeInstanceOf(Error);
    expect(await scene.read()).toMatchObject({ state: 'QUEUED', attempts: 0 });
    expect(reported).toEqual([]);
  });

  it('gets nothing to send when it was about to freeze', async () => {
    const { sendText, wake, slept } = sleeper();
    const scene = await createTimedScene({ handlers: { sendText } });
    const written = Promise.withResolvers<void>();
    const prepare = scene.jobs.prepare.bind(scene.jobs);
    vi.spyOn(scene.jobs, 'prepare').mockImplementation(async (...given) => {
      await written.promise;
      return prepare(...given);
    });
    const run = scene.run();
    wake();
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(await run).toMatchObject({ kind: 'postpone' });
    written.resolve();
    expect(await slept).toBeInstanceOf(Error);
    expect((await scene.read()).state).toBe('PREPARED');
  });

  it('is tried again for as long as its message may have left', async () => {
    const handlers = { sendText: () => forever };
    const scene = await createTimedScene({ job: { state: 'PREPARED', content: 'AQI=' }, handlers });
    for (let count = 0; count < 10; count += 1) {
      const run = scene.run();
      await vi.advanceTimersByTimeAsync(5 * MINUTE);
      expect(await run).toMatchObject({ kind: 'postpone' });
    }
  });

  it('is not begun when its engine stops while "typing…" is shown', async () => {
    const { pacer } = createPacer({ typing: true });
    const typed = Promise.withResolvers<void>();
    const setTyping = async () => {
      typed.resolve();
      return { kind: 'done', result: {} } as const;
    };
    const sendText = vi.fn(() => forever);
    const scene = await createTimedScene({ pacer, handlers: { setTyping, sendText } });
    const run = scene.run();
    await typed.promise;
    scene.stopEngine();
    await run;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(sendText).not.toHaveBeenCalled();
  });

  it('fails its command after a minute', async () => {
    const handlers = { checkExists: () => forever };
    const scene = await createTimedScene({ job: { command: check }, handlers });
    const run = scene.run();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(await run).toEqual({ kind: 'done' });
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code: 'timed-out' } });
  });

  it('is left when its engine has stopped, which is not the job’s fault', async () => {
    const sendText = vi.fn(() => forever);
    const scene = await createScene({ handlers: { sendText } });
    const run = scene.run();
    await vi.waitFor(() => expect(sendText).toHaveBeenCalled());
    scene.stopEngine();
    expect(await run).toEqual({ kind: 'postpone', seconds: 1 });
    for (let count = 0; count < 9; count += 1) expect(await scene.run()).toMatchObject({ kind: 'postpone' });
  });

  it('is left when its job has been cancelled', async () => {
    const scene = await createTimedScene({ handlers: { sendText: () => forever } });
    const run = scene.run();
    const error = { code: 'cancelled', message: 'The job was cancelled' };
    await scene.jobs.endEarly('alpha', 'job-1', { state: 'CANCELLED', error });
    vi.spyOn(scene.jobs, 'get').mockRejectedValueOnce(new DependencyError('away'));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await run).toEqual({ kind: 'postpone', seconds: 0 });
    expect(await scene.run()).toEqual({ kind: 'done' });
  });
});

describe('a job that takes its hosts along', () => {
  const media = { command: sendImage };
  const dies = { sendImage: () => new Promise<never>(() => {}) };
  const retries = { sendImage: async () => ({ kind: 'retry', reason: 'no-answer', afterSeconds: 1 }) as const };
  const lostAfter = async (scene: Awaited<ReturnType<typeof createScene>>, tries: number) => {
    void scene.run(tries);
    await vi.waitFor(() => expect(scene.session.engine?.handlers.sendImage).toHaveBeenCalled());
    return (await scene.read()).lostTries;
  };
  const createDeadly = (job: Partial<JobRow>) =>
    createScene({ job: { ...media, ...job }, handlers: { sendImage: vi.fn(dies.sendImage) } });

  it('has what is lost in its row before it is tried, once its message has come more often than others', async () => {
    expect(await lostAfter(await createDeadly({}), 2)).toBeUndefined();
    expect(await lostAfter(await createDeadly({}), 3)).toBe(1);
    expect(await lostAfter(await createDeadly({ lostTries: 1 }), 1)).toBe(2);
  });

  it('is poison after two', async () => {
    const scene = await createDeadly({ lostTries: 2 });
    expect(await scene.run(5)).toEqual({ kind: 'bury', reason: 'host-lost' });
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code: 'host-lost' } });
    expect(scene.emitted).toMatchObject([{ body: { payload: { ack: -1 } } }]);
    expect(scene.session.engine?.handlers.sendImage).not.toHaveBeenCalled();
  });

  it.each([
    ['asks for another try', retries],
    ['throws', { sendImage: () => Promise.reject(new Error('a bug')) }],
  ])('is none of those whose handler %s', async (_, handlers) => {
    const scene = await createScene({ job: media, handlers });
    for (let tries = 3; tries < 6; tries += 1) {
      expect(await scene.run(tries)).toMatchObject({ kind: 'postpone' });
      expect(await scene.read()).toMatchObject({ lostTries: 0 });
    }
  });

  it('is none of those whose try is given up', async () => {
    const scene = await createDeadly({});
    const run = scene.run(3);
    await vi.waitFor(() => expect(scene.session.engine?.handlers.sendImage).toHaveBeenCalled());
    scene.stopEngine();
    await run;
    expect(await scene.read()).toMatchObject({ lostTries: 0 });
  });

  it('costs nothing where there is no media, nor when it leaves at once, nor when it is frozen', async () => {
    const sent: CommandOutcome = { kind: 'sent', timestamp: 1 };
    const frozen = { ...media, state: 'PREPARED', content: 'AQI=', lostTries: 2 } as const;
    for (const [job, tries] of [
      [{}, 50],
      [media, 1],
      [frozen, 5],
    ] as const) {
      const scene = await createScene({ job, handlers: { sendText: async () => sent, sendImage: async () => sent } });
      const note = vi.spyOn(scene.jobs, 'noteLostTries');
      expect(await scene.run(tries)).toEqual({ kind: 'done' });
      expect((await scene.read()).state).toBe('SENT');
      expect(note).not.toHaveBeenCalled();
    }
  });
});
