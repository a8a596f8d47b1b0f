import { randomUUID } from 'node:crypto';
import type { EventBridgeEvent } from 'aws-lambda';
import { ACCOUNT_ID, REGION, ruleArn } from './aws-identity.ts';
import { type Clock, systemClock } from './clock.ts';
import type { FunctionRegistry } from './function-registry.ts';

export interface ScheduleOptions {
  readonly functions: FunctionRegistry;
  readonly name: string;
  /** Name of the function. */
  readonly function: string;
  readonly everySeconds: number;
  readonly clock?: Clock;
  /** Told of failed invocations. @default nobody */
  readonly onError?: (error: unknown) => void;
}

export interface Schedule {
  /** No further invocations; resolves when a running one has ended. */
  stop(): Promise<void>;
}

/** Calls a function at a fixed rate, as an EventBridge schedule does, but never again before it has answered. */
export function startSchedule(options: ScheduleOptions): Schedule {
  const { functions, everySeconds, clock = systemClock, onError = () => {} } = options;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  let cancel = () => {};

  const next = () => {
    if (stopped) return;
    cancel = clock.schedule(everySeconds * 1000, () => {
      running = functions
        .invoke(options.function, scheduledEvent(options.name, clock.now()))
        .then(() => {}, onError)
        .finally(next);
    });
  };
  next();
  return {
    stop: async () => {
      stopped = true;
      cancel();
      await running;
    },
  };
}

function scheduledEvent(name: string, now: number): EventBridgeEvent<'Scheduled Event', object> {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: ACCOUNT_ID,
    time: `${new Date(now).toISOString().slice(0, 19)}Z`,
    region: REGION,
    resources: [ruleArn('default', name)],
    detail: {},
  };
}
