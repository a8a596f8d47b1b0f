import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { boundAddress, type Listener, listen } from '#localstack/embedded/loopback-listener.ts';
import { type Program, runProgram } from '#test/support/program.ts';
import { findCallSites } from './kill-calls.ts';
import { KillControl } from './kill-control.ts';
import { KILL_CALLS, killPointsNamed } from './kill-points.ts';

const PATIENCE = { timeout: 20_000, interval: 10 };
const CREDENTIALS = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'a' };

describe('names of points', () => {
  it('are a call and a moment, or a call for all its moments', () => {
    expect(killPointsNamed('bus-publish:during')).toEqual(['bus-publish:during']);
    expect(killPointsNamed('queue-done')).toEqual(['queue-done:before', 'queue-done:during', 'queue-done:after']);
    expect(() => killPointsNamed('queue')).toThrow('There is no point queue.');
  });

  it('stand for methods that the product has, which is checked before anything starts', () => {
    expect([...findCallSites().keys()]).toEqual(KILL_CALLS);
    const { prototype, method, original } = findCallSites().get('queue-done') ?? expect.unreachable();
    Reflect.deleteProperty(prototype, method);
    expect(() => findCallSites()).toThrow('Hosts cannot be killed at queue-done (SqsShardQueue.done)');
    Reflect.set(prototype, method, original);
  });
});

describe('a process that is told where to end', () => {
  let control: KillControl;
  let victim: Program | undefined;
  const closing: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    control = await KillControl.start();
  });
  afterEach(async () => {
    victim?.kill('SIGKILL');
    await victim?.exited;
    await control.close();
    for (const close of closing.splice(0)) await close();
  });

  function start(args: readonly string[], env: Record<string, string>): Program {
    victim = runProgram('test/chaos/kill-victim.ts', args, { ...control.environment, ...env });
    return victim;
  }

  /** @returns how often the victim had heard that something was done */
  async function death(program: Program): Promise<number> {
    expect(await program.exited).toBeNull();
    return program.stdout.trim().split('\n').length;
  }

  /** Answers at once, but the fifth request when it is told to; the later ones never, if so wished. */
  async function startDynamoDb(answersLater: boolean) {
    const fifth = Promise.withResolvers<void>();
    const seen = { requests: 0, unanswered: 0 };
    const server = createServer((request, response) => {
      request.resume().on('end', async () => {
        seen.requests += 1;
        response.on('close', () => {
          if (!response.writableFinished) seen.unanswered += 1;
        });
        if (seen.requests > 5 && !answersLater) return;
        if (seen.requests === 5) await fifth.promise;
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
      });
    });
    const listener: Listener = await listen(server);
    closing.push(() => listener.close());
    return { url: listener.url, seen, answerFifth: fifth.resolve };
  }

  it.each([
    ['before', 'sends nothing of it', true, { requests: 5, unanswered: 0 }],
    ['during', 'has sent it and hears no answer', false, { requests: 6, unanswered: 1 }],
    ['after', 'has the answer and does nothing with it', true, { requests: 6, unanswered: 0 }],
  ] as const)('%s a call %s', async (moment, _what, answersLater, expected) => {
    const { url, seen, answerFifth } = await startDynamoDb(answersLater);
    const program = start(['append'], { ...CREDENTIALS, AWS_ENDPOINT_URL_DYNAMODB: url });
    await program.prints(/did 2\n/);
    expect(await control.arm(program.pid, 'checkpoint-put:before')).toBe(true);
    await vi.waitFor(() => expect(seen.requests).toBe(5), PATIENCE);
    expect(await control.arm(program.pid, `journal-append:${moment}`)).toBe(true);
    answerFifth();
    expect(await death(program)).toBe(5);
    await vi.waitFor(() => expect(seen).toEqual(expected), PATIENCE);
  });

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('%s a frame is sent has sent %i more than it knows of', async (moment, more) => {
    let frames = 0;
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => socket.on('message', () => (frames += 1)));
    const listener = await listen(server);
    closing.push(async () => {
      for (const socket of sockets.clients) socket.terminate();
      await listener.close();
    });
    const url = `ws://127.0.0.1:${boundAddress(server).port}`;
    const program = start(['send', url], {});
    await program.prints(/did 2\n/);
    await control.arm(program.pid, `wire-send:${moment}`);
    const known = await death(program);
    await vi.waitFor(() => expect(frames).toBe(known + more), PATIENCE);
  });
});
