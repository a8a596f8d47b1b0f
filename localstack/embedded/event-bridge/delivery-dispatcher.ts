import type { Clock } from '../clock.ts';
import type { Delivery, EventStore } from './event-store.ts';

/** Why an attempt failed, in the words EventBridge puts on dead letters. */
export class DeliveryError extends Error {
  readonly code: string;
  /** False where trying again cannot help, e.g. the target does not exist. */
  readonly retryable: boolean;

  constructor(code: string, message: string, retryable: boolean) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}

/** Brings one delivery to its target; throws a DeliveryError if it did not arrive. */
export type Send = (delivery: Delivery) => Promise<void>;

/** Puts a delivery that is given up on the target's dead letter queue. */
export type SendDeadLetter = (delivery: Delivery, letter: DeadLetter) => Promise<void>;

export interface DeadLetter {
  readonly queueArn: string;
  readonly errorCode: string;
  readonly errorMessage: string;
  readonly attempts: number;
  /** Which limit ended the retries, absent if the error was not retryable. */
  readonly exhausted?: 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds';
}

export interface DispatcherDependencies {
  readonly store: EventStore;
  readonly send: Send;
  readonly sendDeadLetter: SendDeadLetter;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Told of every delivery that is lost: given up, with no dead letter queue to take it. */
  readonly onDropped: (delivery: Delivery, error: DeliveryError) => void;
}

const DEFAULT_ATTEMPTS = 185;
const DEFAULT_AGE_SECONDS = 86_400;
const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 60_000;

/** Delivers at least once: at once, then with exponential, jittered delays, as long as the target's policy allows. */
export class DeliveryDispatcher {
  readonly #dependencies: DispatcherDependencies;
  readonly #running = new Set<Promise<void>>();
  readonly #cancelScheduled = new Set<() => void>();
  #done: number[] = [];
  #stopped = false;

  constructor(dependencies: DispatcherDependencies) {
    this.#dependencies = dependencies;
  }

  /** Starts after the caller's turn: the answer to PutEvents leaves before the work on its events begins. */
  dispatch(deliveries: readonly Delivery[]): void {
    setImmediate(() => {
      for (const delivery of deliveries) this.#attempt(delivery, 1);
    });
  }

  /** Ends what is running; what waits for its next attempt stays in the store for the next process. */
  async stop(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#stopped = true;
    for (const cancel of this.#cancelScheduled) cancel();
    this.#cancelScheduled.clear();
    while (this.#running.size > 0) await Promise.all(this.#running);
    this.#forgetDone();
  }

  #attempt(delivery: Delivery, attempt: number): void {
    if (this.#stopped) return;
    const run = this.#tryOnce(delivery, attempt).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #tryOnce(delivery: Delivery, attempt: number): Promise<void> {
    try {
      await this.#dependencies.send(delivery);
      this.#finish(delivery);
    } catch (cause) {
      const error = cause instanceof DeliveryError ? cause : new DeliveryError('INTERNAL_ERROR', String(cause), true);
      await this.#afterFailure(delivery, attempt, error);
    }
  }

  async #afterFailure(delivery: Delivery, attempts: number, error: DeliveryError): Promise<void> {
    const { clock, random } = this.#dependencies;
    const policy = delivery.target.RetryPolicy ?? {};
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempts - 1)) * (0.5 + random() / 2);
    const ageLimitMs = (policy.MaximumEventAgeInSeconds ?? DEFAULT_AGE_SECONDS) * 1000;
    const tooOld = clock.now() + delayMs - delivery.acceptedAt > ageLimitMs;
    const tooOften = attempts > (policy.MaximumRetryAttempts ?? DEFAULT_ATTEMPTS);
    if (error.retryable && !tooOld && !tooOften) {
      this.#later(delayMs, () => this.#attempt(delivery, attempts + 1));
      return;
    }
    const exhausted = !error.retryable ? undefined : tooOften ? 'MaximumRetryAttempts' : 'MaximumEventAgeInSeconds';
    await this.#giveUp(delivery, attempts, error, exhausted);
  }

  async #giveUp(
    delivery: Delivery,
    attempts: number,
    error: DeliveryError,
    exhausted: NonNullable<DeadLetter['exhausted']> | undefined,
  ): Promise<void> {
    const queueArn = delivery.target.DeadLetterConfig?.Arn;
    if (queueArn === undefined) {
      this.#dependencies.onDropped(delivery, error);
      this.#finish(delivery);
      return;
    }
    try {
      await this.#dependencies.sendDeadLetter(delivery, {
        queueArn,
        errorCode: error.code,
        errorMessage: error.message,
        attempts,
        ...(exhausted === undefined ? {} : { exhausted }),
      });
    } catch (cause) {
      this.#dependencies.onDropped(delivery, new DeliveryError('DEAD_LETTER_FAILED', String(cause), false));
    }
    this.#finish(delivery);
  }

  #later(delayMs: number, task: () => void): void {
    if (this.#stopped) return;
    const cancel = this.#dependencies.clock.schedule(delayMs, () => {
      this.#cancelScheduled.delete(cancel);
      task();
    });
    this.#cancelScheduled.add(cancel);
  }

  /** One write forgets all that ended in the same turn; a crash before it only repeats them. */
  #finish(delivery: Delivery): void {
    this.#done.push(delivery.id);
    if (this.#done.length === 1) setImmediate(() => this.#forgetDone());
  }

  #forgetDone(): void {
    const ids = this.#done;
    this.#done = [];
    if (ids.length > 0) this.#dependencies.store.removeDeliveries(ids);
  }
}
