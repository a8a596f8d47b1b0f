import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { boundAddress, type Listener, listen } from '#localstack/embedded/loopback-listener.ts';
import { type Program, runProgram } from '#test/support/program.ts';
import { findCallSites } from './kill-calls.ts';
import { KillControl } from './kill-control.ts';
import { KILL_CALLS, type KillPoint, killPointsNamed } from './kill-points.ts';

const ANSWER_MS = 100;
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

  /** Runs a victim, lets it work for a while, and tells it to end. @returns how often it had heard an answer */
  async function killed(args: readonly string[], env: Record<string, string>, point: KillPoint): Promise<number> {
    const program = runProgram('test/chaos/kill-victim.ts', args, { ...control.environment, ...env });
    victim = program;
    await program.prints(/did 3\n/);
    expect(control.arm(program.pid, 'checkpoint-put:before')).toBe(true);
    await program.prints(/did 5\n/);
    control.arm(program.pid, point);
    expect(await program.exited).toBeNull();
    return program.stdout.trim().split('\n').length;
  }

  async function startDynamoDb(): Promise<{ readonly url: string; requests: number; unanswered: number }> {
    const seen = { url: '', requests: 0, unanswered: 0 };
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        seen.requests += 1;
        response.on('close', () => {
          if (!response.writableFinished) seen.unanswered += 1;
        });
        setTimeout(
          () => response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}'),
          ANSWER_MS,
        );
      });
    });
    const listener: Listener = await listen(server);
    closing.push(() => listener.close());
    seen.url = listener.url;
    return seen;
  }

  const append = async (point: KillPoint) => {
    const dynamoDb = await startDynamoDb();
    const heard = await killed(['append'], { ...CREDENTIALS, AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.url }, point);
    return { heard, dynamoDb };
  };

  it('before a call sends nothing of it', async () => {
    const { heard, dynamoDb } = await append('journal-append:before');
    expect(dynamoDb).toMatchObject({ requests: heard, unanswered: 0 });
  });

  it('during a call has sent it and hears no answer', async () => {
    const { heard, dynamoDb } = await append('journal-append:during');
    await vi.waitFor(() => expect(dynamoDb).toMatchObject({ requests: heard + 1, unanswered: 1 }), PATIENCE);
  });

  it('after a call has the answer and does nothing with it', async () => {
    const { heard, dynamoDb } = await append('journal-append:after');
    expect(dynamoDb).toMatchObject({ requests: heard + 1, unanswered: 0 });
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
    const known = await killed(['send', url], {}, `wire-send:${moment}`);
    await vi.waitFor(() => expect(frames).toBe(known + more), PATIENCE);
  });
});
