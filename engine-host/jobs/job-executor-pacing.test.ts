import { describe, expect, it, vi } from 'vitest';
import type { CommandHandlers, JobContext } from '../engines/engine.ts';
import { createPacer, createScene, sends } from './job-executor-world.ts';

describe('JobExecutor with pacing', () => {
  const freezing =
    (left: string[]): NonNullable<CommandHandlers['sendText']> =>
    async ({ text }, job) => {
      await job.freeze({ content: Uint8Array.of(1) });
      left.push(text);
      return { kind: 'sent', timestamp: 1 };
    };

  it('notes in the row until when a send waits, and lets it leave then', async () => {
    const { pacer, reported } = createPacer();
    const left: string[] = [];
    const handlers = { sendText: freezing(left) };
    const first = await createScene({ pacer, handlers });
    expect(await first.run()).toEqual({ kind: 'done' });
    expect(reported).toHaveLength(1);
    const second = await createScene({ pacer, handlers, job: { jobId: 'job-1' } });
    expect(await second.run()).toMatchObject({ kind: 'postpone', seconds: 45 });
    const row = await second.read();
    expect(row).toMatchObject({ state: 'QUEUED', waitsFor: 'chat-gap' });
    expect(row.notBefore).toBeGreaterThan(Date.now() + 40_000);
    const defer = vi.spyOn(second.jobs, 'defer');
    expect(await second.run()).toMatchObject({ kind: 'postpone' });
    expect(defer).not.toHaveBeenCalled();
    expect(left).toEqual(['hello']);
  });

  it('believes the pacer, not what it noted earlier', async () => {
    const { pacer } = createPacer();
    const scene = await createScene({
      pacer,
      handlers: sends({ kind: 'sent', timestamp: 1 }),
      job: { notBefore: Date.now() + 3_600_000, waitsFor: 'hour-cap' },
    });
    expect(await scene.run()).toEqual({ kind: 'done' });
  });

  it('does not count what has not left, nor hold back what has been frozen', async () => {
    const { pacer, reported } = createPacer();
    const retry = await createScene({ pacer, handlers: sends({ kind: 'retry', reason: 'x', afterSeconds: 1 }) });
    await retry.run();
    await retry.run();
    expect(reported).toEqual([]);
    const sent = await createScene({ pacer, handlers: { sendText: freezing([]) } });
    await sent.run();
    const seen: JobContext[] = [];
    const again = await createScene({
      pacer,
      job: { state: 'PREPARED', content: 'AQI=' },
      handlers: sends({ kind: 'sent', timestamp: 1 }, seen),
    });
    expect(await again.run()).toEqual({ kind: 'done' });
    expect(seen).toHaveLength(1);
    expect(reported).toHaveLength(1);
  });

  it('moves what may not open a conversation out of the way', async () => {
    const { pacer } = createPacer({ newConversationsPerDay: 0 });
    const scene = await createScene({ pacer, handlers: sends({ kind: 'sent', timestamp: 1 }) });
    expect(await scene.run()).toEqual({ kind: 'park' });
    expect(await scene.read()).toMatchObject({ waitsFor: 'new-conversations' });
    expect(await scene.run(1, true)).toMatchObject({ kind: 'postpone', seconds: 43_000 });
  });

  it('types before a text, and goes on also when the engine cannot', async () => {
    const typed: string[] = [];
    const { pacer } = createPacer({ typing: true });
    const scene = await createScene({
      pacer,
      handlers: {
        setTyping: async ({ chatId, typing }) => {
          typed.push(`${chatId} ${typing}`);
          return { kind: 'retry', reason: 'not-connected', afterSeconds: 2 };
        },
        sendText: async () => {
          expect(typed).toEqual(['4915187654321@c.us true']);
          return { kind: 'sent', timestamp: 1 };
        },
      },
    });
    expect(await scene.run()).toEqual({ kind: 'done' });
    expect((await scene.read()).state).toBe('SENT');
  });
});
