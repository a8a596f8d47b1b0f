import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DependencyError, EngineError, NotOwnerError } from '#shared/domain/errors.ts';
import { tag } from '#shared/observability/logger.ts';
import type { CommandHandlers, CommandOutcome, JobContext } from '../engines/engine.ts';
import { check, createScene, ME, pair, type Scene, sendImage, sends, sendText } from './job-executor-world.ts';

describe('JobExecutor', () => {
  it('runs a send with its id, freezes its content, records SENT', async () => {
    const scene = await createScene({
      handlers: {
        sendText: async (_command, job) => {
          const frozen = await job.freeze({ content: Uint8Array.of(1, 2), wire: { edit: '1' } });
          expect(frozen).toEqual({ content: Buffer.from([1, 2]), wire: { edit: '1' } });
          expect(await scene.read()).toMatchObject({ state: 'PREPARED', epoch: 3 });
          expect(job.messageId).toMatch(/^3EB0/);
          return { kind: 'sent', timestamp: 1_700_000_000 };
        },
      },
    });
    expect(await scene.run()).toEqual({ kind: 'done' });
    const job = await scene.read();
    expect(job).toMatchObject({ state: 'SENT', result: { timestamp: 1_700_000_000 }, epoch: 3, attempts: 1 });
    const { messageId = '', command } = job;
    expect(await scene.session.sent.getSent(messageId, ['chatId' in command ? command.chatId : ''])).toEqual(
      Buffer.from([1, 2]),
    );
  });

  it('gives a later try what an earlier one has frozen, whatever it wants to freeze', async () => {
    const seen: JobContext[] = [];
    const scene = await createScene({
      job: { state: 'PREPARED', content: 'AQI=' },
      handlers: sends({ kind: 'sent', timestamp: 1 }, seen),
    });
    await scene.run();
    expect(seen[0]?.frozen?.content).toEqual(Buffer.from([1, 2]));
    const other = await createScene({
      job: { state: 'PREPARED', content: 'AQI=' },
      handlers: {
        sendText: async (_command, job) => {
          expect((await job.freeze({ content: Uint8Array.of(9) })).content).toEqual(Buffer.from([1, 2]));
          return { kind: 'sent', timestamp: 1 };
        },
      },
    });
    expect(await other.run()).toEqual({ kind: 'done' });
  });

  it('records what a command found', async () => {
    const handlers: CommandHandlers = {
      checkExists: async () => ({ kind: 'done', result: { numberExists: true } }),
    };
    const scene = await createScene({ job: { command: check }, handlers });
    expect(await scene.run()).toEqual({ kind: 'done' });
    expect(await scene.read()).toMatchObject({ state: 'DONE', result: { numberExists: true } });
  });

  it('records a refusal, and tells of a message that will never leave', async () => {
    const scene = await createScene({ handlers: sends({ kind: 'rejected', code: 'nack-463', message: 'no' }) });
    expect(await scene.run()).toEqual({ kind: 'done' });
    const job = await scene.read();
    expect(job).toMatchObject({ state: 'FAILED', error: { code: 'nack-463', message: 'no' } });
    expect(scene.restricted).toEqual([['nack-463', undefined]]);
    expect(scene.emitted).toMatchObject([
      { body: { event: 'message.ack', payload: { id: `true_4915187654321@c.us_${job.messageId}`, ack: -1 } } },
    ]);
  });

  it('says of which job a line is, and how it ended', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const seen: JobContext[] = [];
    const outcomes: (CommandOutcome | Error)[] = [
      { kind: 'retry', reason: 'no-ack', afterSeconds: 7 },
      new DependencyError('away'),
      { kind: 'rejected', code: 'nack-463', message: 'no' },
    ];
    const handlers: CommandHandlers = {
      sendText: async (_command, job) => {
        seen.push(job);
        const outcome = outcomes.shift();
        if (outcome === undefined || outcome instanceof Error) throw outcome;
        return outcome;
      },
    };
    const scene = await createScene({ job: { traceparent }, handlers });
    for (const _ of [1, 2, 3]) await scene.run();
    const known = { session: tag('alpha'), jobId: 'job-1', traceparent, type: 'sendText' };
    expect(scene.log.parsed).toMatchObject([
      { ...known, msg: 'job waits', code: 'no-ack', seconds: 7 },
      { ...known, msg: 'a job threw', level: 'warn' },
      { ...known, msg: 'job waits', code: 'engine-error' },
      { ...known, msg: 'job ended', level: 'info', state: 'FAILED', code: 'nack-463', ms: expect.any(Number) },
    ]);
    expect(seen.map((job) => job.traceparent)).toEqual([traceparent, traceparent, traceparent]);
    expect(scene.emitted).toMatchObject([{ body: { event: 'message.ack' }, traceparent }]);
    expect(scene.restricted).toEqual([['nack-463', traceparent]]);
  });

  it('takes an expected error for a refusal', async () => {
    const scene = await createScene({ handlers: sends(new EngineError('media-refused', 'too large')) });
    expect(await scene.run()).toEqual({ kind: 'done' });
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code: 'media-refused' } });
  });

  it('lets a send come again as the engine says', async () => {
    const outcome: CommandOutcome = { kind: 'retry', reason: 'no-ack', afterSeconds: 7 };
    const scene = await createScene({ handlers: sends(outcome) });
    expect(await scene.run(50)).toEqual({ kind: 'postpone', seconds: 7 });
    expect((await scene.read()).state).toBe('QUEUED');
    const cut: CommandHandlers = {
      sendText: async () => {
        Object.assign(dropped.session, { status: 'STARTING' });
        return outcome;
      },
    };
    const dropped = await createScene({ handlers: cut });
    expect(await dropped.run()).toEqual({ kind: 'postpone', seconds: 7, until: expect.anything() });
  });

  it('asks less and less often', async () => {
    const scene = await createScene({ handlers: sends({ kind: 'retry', reason: 'connection-lost', afterSeconds: 1 }) });
    const waits: unknown[] = [];
    for (let count = 0; count < 20; count += 1) waits.push(await scene.run());
    const seconds = [1, 4, 8, 16, ...Array.from({ length: 16 }, () => 30)];
    expect(waits).toEqual(seconds.map((wait) => ({ kind: 'postpone', seconds: wait })));
    expect((await scene.read()).state).toBe('QUEUED');
  });

  it.each([
    ['engine-error', sendText, 'engine-error'],
    ['dependency', sendText, 'dependency'],
    ['dependency', sendImage, 'media-unavailable'],
  ])('fails a send after eight times %s', async (reason, command, code) => {
    const outcome: CommandOutcome = { kind: 'retry', reason, afterSeconds: 5 };
    const handlers: CommandHandlers = { sendText: async () => outcome, sendImage: async () => outcome };
    const scene = await createScene({ job: { command }, handlers });
    for (let count = 1; count < 8; count += 1) expect(await scene.run()).toMatchObject({ kind: 'postpone' });
    expect(await scene.run()).toEqual({ kind: 'done' });
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code } });
    expect(scene.emitted).toMatchObject([{ body: { payload: { ack: -1 } } }]);
  });

  it('does not give up what may be on its way', async () => {
    const scene = await createScene({
      job: { state: 'PREPARED', content: 'AQI=' },
      handlers: sends({ kind: 'retry', reason: 'ack-timeout', afterSeconds: 1 }),
    });
    for (let count = 0; count < 50; count += 1) expect(await scene.run()).toMatchObject({ kind: 'postpone' });
  });

  it('fails what the queue is about to give up', async () => {
    const retry = sends({ kind: 'retry', reason: 'no-answer', afterSeconds: 2 });
    const scene = await createScene({ job: { state: 'PREPARED', content: 'AQI=' }, handlers: retry });
    expect(await scene.run(899)).toMatchObject({ kind: 'postpone' });
    expect(await scene.run(900)).toEqual({ kind: 'done' });
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code: 'no-answer' } });
    const stopped = await createScene({ status: 'STARTING' });
    expect(await stopped.run(900)).toEqual({ kind: 'done' });
    expect(await stopped.read()).toMatchObject({ state: 'FAILED', error: { code: 'session-not-working' } });
    expect(stopped.emitted).toHaveLength(1);
  });

  it('gives up a command that gets no answer', async () => {
    const handlers: CommandHandlers = {
      checkExists: async () => ({ kind: 'retry', reason: 'timeout', afterSeconds: 2 }),
    };
    const scene = await createScene({ job: { command: check }, handlers });
    expect(await scene.run(3)).toMatchObject({ kind: 'postpone' });
    expect(await scene.run(4)).toEqual({ kind: 'done' });
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code: 'timeout' } });
  });

  it.each(['STARTING', 'SCAN_QR_CODE', 'STOPPED', 'FAILED'] as const)(
    'keeps sends waiting while %s',
    async (status) => {
      const seen: JobContext[] = [];
      const scene = await createScene({ status, handlers: sends({ kind: 'sent', timestamp: 1 }, seen) });
      expect(await scene.run(1)).toEqual({ kind: 'postpone', seconds: 2, until: expect.anything() });
      expect(await scene.run(9)).toMatchObject({ kind: 'postpone', seconds: 30 });
      expect(seen).toEqual([]);
      expect((await scene.read()).state).toBe('QUEUED');
    },
  );

  it('fails commands of a session that does not work: soon, or at once when it is not wanted to', async () => {
    const scene = await createScene({ job: { command: check }, status: 'STARTING' });
    expect(await scene.run(3)).toMatchObject({ kind: 'postpone' });
    await scene.run(4);
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code: 'session-not-working' } });
    const stopped = await createScene({ job: { command: check }, row: { desired: 'STOPPED' }, status: 'STOPPED' });
    await stopped.run(1);
    expect(await stopped.read()).toMatchObject({ state: 'FAILED', error: { code: 'session-not-working' } });
  });

  it('asks for a pairing code while the QR code is on show', async () => {
    const handlers: CommandHandlers = {
      requestPairingCode: async () => ({ kind: 'done', result: { code: 'ABCD-EFGH' } }),
    };
    const scene = await createScene({ job: { command: pair }, status: 'SCAN_QR_CODE', handlers });
    await scene.run();
    expect(await scene.read()).toMatchObject({ state: 'DONE', result: { code: 'ABCD-EFGH' } });
  });

  it('fails what the engine cannot do, and what belongs to no session', async () => {
    const scene = await createScene({});
    await scene.run();
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code: 'not-supported' } });
    const gone = await createScene({ gone: true });
    await gone.run();
    expect(await gone.read()).toMatchObject({ state: 'FAILED', error: { code: 'session-not-found' } });
  });

  it('tells of what expired or failed, also when nothing runs the session, and it was never paired', async () => {
    const failed = { body: { event: 'message.ack', payload: { from: '', ack: -1 } } };
    const late = await createScene({ job: { expiresAt: Date.now() - 1 }, stopped: true });
    await late.run();
    expect(late.emitted).toMatchObject([failed]);
    const worn = await createScene({ stopped: true });
    expect(await worn.run(1)).toEqual({ kind: 'postpone', seconds: 2, until: expect.anything() });
    await worn.run(900);
    expect(worn.emitted).toMatchObject([failed]);
  });

  it('lets a failed send come again until its event is published, under one id', async () => {
    let bus: (published: () => void) => void = () => {};
    const handlers = sends({ kind: 'rejected', code: 'nack-463', message: 'no' });
    const scene = await createScene({ handlers, publishing: (published) => bus(published) });
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const first = scene.run();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await first).toEqual({ kind: 'postpone', seconds: 5 });
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code: 'nack-463' } });
    bus = (published) => published();
    expect(await scene.run(2)).toEqual({ kind: 'done' });
    expect(scene.emitted).toHaveLength(2);
    expect(scene.emitted[1]).toEqual(scene.emitted[0]);
    expect(scene.restricted).toHaveLength(1);
  });

  it('leaves a job that the deletion of its session has ended to that deletion', async () => {
    const error = { code: 'session-deleted', message: 'The session was deleted' };
    const waiting = await createScene({ job: { state: 'FAILED', error, openShard: 'socket-00' }, stopped: true });
    expect(await waiting.run(2)).toEqual({ kind: 'done' });
    const handlers: CommandHandlers = {
      sendText: async () => {
        await running.jobs.endUntold('alpha', 'job-1', 3, { state: 'FAILED', error });
        return { kind: 'rejected', code: 'nack-463', message: 'no' };
      },
    };
    const running = await createScene({ job: { openShard: 'socket-00' }, handlers });
    expect(await running.run()).toEqual({ kind: 'done' });
    expect(await running.read()).toMatchObject({ state: 'FAILED', error, openShard: 'socket-00' });
    expect([...waiting.emitted, ...running.emitted]).toEqual([]);
  });

  it('leaves a failure that is not told to the next owner', async () => {
    const handlers = sends({ kind: 'rejected', code: 'nack-463', message: 'no' });
    const scene = await createScene({ handlers, publishing: () => scene.lease.end() });
    expect(await scene.run()).toEqual({ kind: 'abandon' });
    const next = await createScene({ job: await scene.read(), stopped: true, row: { me: ME } });
    expect(await next.run(2)).toEqual({ kind: 'done' });
    expect(next.emitted).toEqual(scene.emitted);
  });

  it.each([
    ['is stopped', { stopped: true, row: { me: ME } }],
    ['does not work', { status: 'FAILED' }],
    ['works', {}],
  ] satisfies [string, Scene][])(
    'tells of a send that has expired unseen, as often as a message says so, under one id, when its session %s',
    async (_when, scene) => {
      const expired = { state: 'EXPIRED', error: { code: 'expired', message: 'late' }, updatedAt: 7 } as const;
      const { run, read, emitted } = await createScene({ ...scene, job: expired });
      for (const tries of [1, 1]) expect(await run(tries)).toEqual({ kind: 'done' });
      expect(emitted).toMatchObject([
        { body: { event: 'message.ack', payload: { from: ME.id, ack: -1, _data: { error: expired.error } } } },
        {},
      ]);
      expect(emitted[1]).toEqual(emitted[0]);
      expect(await read()).toMatchObject(expired);
    },
  );

  it('tells nobody of a send that has expired when its session is gone', async () => {
    const gone = await createScene({ job: { state: 'EXPIRED' }, gone: true });
    expect(await gone.run()).toEqual({ kind: 'done' });
    expect(gone.emitted).toEqual([]);
  });

  it('leaves finished jobs alone and expires late ones', async () => {
    const seen: JobContext[] = [];
    const handlers = sends({ kind: 'sent', timestamp: 1 }, seen);
    const cancelled = await createScene({ job: { state: 'CANCELLED' }, handlers });
    expect(await cancelled.run()).toEqual({ kind: 'done' });
    expect((await cancelled.read()).state).toBe('CANCELLED');
    const late = await createScene({ job: { expiresAt: Date.now() - 1 }, handlers });
    expect(await late.run()).toEqual({ kind: 'done' });
    expect((await late.read()).state).toBe('EXPIRED');
    expect(seen).toEqual([]);
  });

  it('does not send before its time, nor wait beyond its end', async () => {
    const early = await createScene({ job: { notBefore: Date.now() + 90_500 } });
    expect(await early.run()).toEqual({ kind: 'postpone', seconds: 91 });
    const short = await createScene({ job: { expiresAt: Date.now() + 3_000 }, status: 'STARTING' });
    expect(await short.run(9)).toMatchObject({ kind: 'postpone', seconds: 3 });
  });

  it('buries a job that throws again and again', async () => {
    const scene = await createScene({ handlers: sends(new TypeError('cannot read x of undefined')) });
    for (let count = 1; count < 5; count += 1) expect(await scene.run(30)).toMatchObject({ kind: 'postpone' });
    expect(await scene.run(30)).toEqual({ kind: 'bury', reason: 'TypeError' });
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code: 'engine-error' } });
  });

  describe('buries a job that throws again and again though its event is late, when that is published', () => {
    const poisoned = async (publishing: (published: () => void) => void) => {
      const scene = await createScene({ handlers: sends(new TypeError('cannot read x of undefined')), publishing });
      for (let count = 1; count < 5; count += 1) await scene.run(30);
      return scene;
    };

    it('on the same host', async () => {
      let bus: (published: () => void) => void = () => {};
      const scene = await poisoned((published) => bus(published));
      vi.useFakeTimers();
      onTestFinished(() => void vi.useRealTimers());
      const late = scene.run(30);
      await vi.advanceTimersByTimeAsync(5_000);
      expect(await late).toEqual({ kind: 'postpone', seconds: 5 });
      bus = (published) => published();
      expect(await scene.run(31)).toEqual({ kind: 'bury', reason: 'TypeError' });
      expect(scene.emitted).toHaveLength(2);
      expect(scene.emitted[1]).toEqual(scene.emitted[0]);
    });

    it('on the next one, after the death of the first', async () => {
      const scene = await poisoned(() => scene.lease.end());
      expect(await scene.run(30)).toEqual({ kind: 'abandon' });
      const next = await createScene({ job: await scene.read(), stopped: true, row: { me: ME } });
      expect(await next.run(31)).toEqual({ kind: 'bury', reason: 'TypeError' });
      expect(next.emitted).toEqual(scene.emitted);
    });

    it('or when there is nobody left who would tell', async () => {
      const scene = await poisoned(() => scene.lease.end());
      await scene.run(30);
      const gone = await createScene({ job: await scene.read(), gone: true });
      expect(await gone.run(31)).toEqual({ kind: 'bury', reason: 'TypeError' });
      expect(gone.emitted).toEqual([]);
    });
  });

  it('buries a command that throws again and again', async () => {
    const handlers: CommandHandlers = {
      checkExists: async () => {
        throw new TypeError('cannot read x of undefined');
      },
    };
    const scene = await createScene({ job: { command: check }, handlers });
    for (let count = 1; count < 5; count += 1) await scene.run(1);
    expect(await scene.run(1)).toEqual({ kind: 'bury', reason: 'TypeError' });
    expect(scene.emitted).toEqual([]);
  });

  it('fails, without burying it, what depends on something that stays away', async () => {
    const scene = await createScene({ handlers: sends(new DependencyError('the file’s server is down')) });
    for (let count = 1; count < 5; count += 1) expect(await scene.run()).toMatchObject({ kind: 'postpone' });
    expect(await scene.run()).toEqual({ kind: 'done' });
    expect(await scene.read()).toMatchObject({ state: 'FAILED', error: { code: 'dependency' } });
  });

  it('stops a job that was cancelled between its start and its freezing', async () => {
    let sent = false;
    const scene = await createScene({
      job: { state: 'PREPARED', content: 'AQI=' },
      handlers: {
        sendText: async (_command, job) => {
          await scene.jobs.advance('alpha', 'job-1', 3, { state: 'CANCELLED' });
          await job.freeze({ content: Uint8Array.of(1) });
          sent = true;
          return { kind: 'sent', timestamp: 1 };
        },
      },
    });
    expect(await scene.run()).toEqual({ kind: 'done' });
    expect((await scene.read()).state).toBe('CANCELLED');
    expect(sent).toBe(false);
  });

  it('records nothing without the lease', async () => {
    const scene = await createScene({ handlers: sends({ kind: 'sent', timestamp: 1 }) });
    scene.lease.end();
    expect(await scene.run()).toEqual({ kind: 'abandon' });
    expect((await scene.read()).state).toBe('QUEUED');
    const fenced = await createScene({ handlers: sends(new NotOwnerError('not ours')) });
    expect(await fenced.run()).toEqual({ kind: 'abandon' });
  });
});
