import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { type Clock, systemClock } from '../clock.ts';
import type { FunctionRegistry } from '../function-registry.ts';
import { type Listener, type ListenOptions, listen } from '../loopback-listener.ts';
import { readBody } from '../request-body.ts';
import { DeliveryDispatcher, type DispatcherDependencies } from './delivery-dispatcher.ts';
import { EventBridgeError } from './event-bridge-error.ts';
import { EventBuses } from './event-bus.ts';
import { EventStore } from './event-store.ts';
import { createOperations, type Operation } from './operations.ts';
import type { EventContent } from './put-events.ts';
import { createTargets } from './targets.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const TARGET_PREFIX = 'AWSEvents.';

export interface EventBridgeOptions extends ListenOptions {
  /** Directory for buses, rules and undelivered events. In memory without it. */
  readonly path?: string;
  /** Delivers to queue targets and dead letter queues. Stays the caller's. */
  readonly sqs: SQSClient;
  readonly functions: FunctionRegistry;
  /** @default the system's */
  readonly clock?: Clock;
  /** Jitter, between 0 and 1. @default Math.random */
  readonly random?: () => number;
  /** Told of events that are lost because there is no dead letter queue. @default nobody */
  readonly onDropped?: DispatcherDependencies['onDropped'];
}

export interface EventBridge extends Listener {
  /** Delivers what an earlier process left; call it once functions and queues are there. */
  resume(): void;
  /** Takes an event of a service that the local cloud stands for, e.g. ECS. */
  takeServiceEvent(content: EventContent): void;
}

/** The EventBridge API on loopback, and the deliveries behind it. */
export async function startEventBridge(options: EventBridgeOptions): Promise<EventBridge> {
  const clock = options.clock ?? systemClock;
  const store = new EventStore(options.path);
  const dispatcher = new DeliveryDispatcher({
    ...createTargets(options.sqs, options.functions),
    store,
    clock,
    random: options.random ?? Math.random,
    onDropped: options.onDropped ?? (() => {}),
  });
  // Read before any new event is taken: what is left over is delivered once, by resume.
  const leftOver = store.deliveries();
  const buses = new EventBuses(store, dispatcher, clock);
  const operations = createOperations(buses);
  const listener = await listen(
    createServer((request, response) => void answer(request, response, operations)),
    options,
  );
  return {
    ...listener,
    resume: () => dispatcher.dispatch(leftOver),
    takeServiceEvent: (content) => buses.takeServiceEvent(content),
    close: async () => {
      await listener.close();
      await dispatcher.stop();
      store.close();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  operations: Readonly<Record<string, Operation>>,
): Promise<void> {
  const send = (status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() });
    response.end(JSON.stringify(body));
  };
  try {
    const target = String(request.headers['x-amz-target'] ?? '');
    const body = await readBody(request, MAX_BODY_BYTES);
    if (body === undefined) throw EventBridgeError.validation('The request is too large.');
    const name = target.slice(TARGET_PREFIX.length);
    if (!target.startsWith(TARGET_PREFIX) || !Object.hasOwn(operations, name)) {
      throw new EventBridgeError('UnknownOperationException', `The local bus has no operation ${target}.`);
    }
    send(200, operations[name]?.(parseJson(body)));
  } catch (error) {
    if (error instanceof EventBridgeError) send(400, { __type: error.code, message: error.message });
    else send(500, { __type: 'InternalException', message: 'The local bus failed.' });
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new EventBridgeError('SerializationException', 'The request is not valid JSON.');
  }
}
