import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type Listener, listen } from '#localstack/embedded/loopback-listener.ts';
import type { AwsFailure, AwsService } from './chaos-plan.ts';
import type { Random } from './random.ts';

/** What goes wrong with `rate` of the calls. */
export interface CallFault {
  readonly failure: AwsFailure;
  /** 0 to 1. */
  readonly rate: number;
  readonly delayMs: number;
}

/** Stands between the hosts and one AWS service. */
export interface FaultProxy {
  readonly url: string;
  /** Calls wait until they are told where to go. */
  forwardTo(url: string): void;
  /** Replaces what goes wrong from now on; undefined: nothing. */
  inject(fault: CallFault | undefined): void;
  /** Calls that were hit so far. */
  readonly hits: number;
  close(): Promise<void>;
}

const THROTTLED: Readonly<Record<AwsService, string>> = {
  dynamodb: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  sqs: 'com.amazon.coral.availability#ThrottlingException',
  eventbridge: 'ThrottlingException',
  s3: 'SlowDown',
};

/** Calls that are held back besides what goes wrong with them. */
export interface SlowCalls {
  /** The operation as AWS' JSON protocols name it, e.g. `PutItem`. */
  readonly operation: string;
  /** Resolves when such a call may go on. */
  readonly held: () => Promise<unknown>;
}

export async function startFaultProxy(service: AwsService, random: Random, slow?: SlowCalls): Promise<FaultProxy> {
  const target = Promise.withResolvers<URL>();
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  let fault: CallFault | undefined;
  let hits = 0;

  const take = async (incoming: IncomingMessage, response: ServerResponse) => {
    if (slow !== undefined && isCallOf(incoming, slow.operation)) await slow.held();
    if (incoming.destroyed) return;
    const hit = fault !== undefined && random.chance(fault.rate) ? fault : undefined;
    if (hit !== undefined) hits += 1;
    switch (hit?.failure) {
      case 'throttle':
      case 'fail':
        incoming.resume();
        refuse(response, service, hit.failure);
        return;
      case 'reset':
        incoming.socket.destroy();
        return;
      case 'delay':
        await delay(hit.delayMs);
    }
    pass(incoming, response, await target.promise, agent, hit?.failure === 'lose-answer');
  };
  const server = createServer((incoming, response) => void take(incoming, response));
  const listener: Listener = await listen(server);
  return {
    url: listener.url,
    forwardTo: (url) => target.resolve(new URL(url)),
    inject: (next) => {
      fault = next;
    },
    get hits() {
      return hits;
    },
    close: async () => {
      await listener.close();
      agent.destroy();
    },
  };
}

function isCallOf({ headers }: IncomingMessage, operation: string): boolean {
  const target = headers['x-amz-target'];
  return typeof target === 'string' && target.endsWith(`.${operation}`);
}

function refuse(response: ServerResponse, service: AwsService, failure: 'throttle' | 'fail'): void {
  const code = failure === 'throttle' ? THROTTLED[service] : 'InternalServerError';
  if (service === 's3') {
    const body = `<Error><Code>${code}</Code><Message>as planned</Message></Error>`;
    response.writeHead(503, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) }).end(body);
    return;
  }
  const body = JSON.stringify({ __type: code, message: 'as planned' });
  response.writeHead(failure === 'throttle' ? 400 : 500, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
}

/** A caller that goes away takes its call along: a long poll must not outlive the host that it was for. */
function pass(incoming: IncomingMessage, response: ServerResponse, target: URL, agent: Agent, silent: boolean): void {
  const { method, url, headers } = incoming;
  const onward = request({ agent, host: target.hostname, port: target.port, method, path: url, headers });
  onward.on('response', (answer) => {
    if (silent) {
      answer.resume();
      answer.on('end', () => incoming.socket.destroy());
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => {
    if (!response.writableFinished) onward.destroy();
  });
  incoming.on('error', () => onward.destroy());
  incoming.pipe(onward);
}
