import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { LAMBDA_PAYLOAD_BYTES } from '#shared/contracts/lambda-payload.ts';
import { functionArn } from './aws-identity.ts';

/** A Lambda handler as it runs here: same event, same context, same process. */
export type FunctionHandler = (event: never, context: Context) => Promise<unknown>;

export interface FunctionDefinition {
  readonly handler: FunctionHandler;
  /** @default 30 */
  readonly timeoutSeconds?: number;
}

/** Functions by name. */
export type FunctionTable = Readonly<Record<string, FunctionDefinition>>;

export interface InvocationCounts {
  readonly started: number;
  readonly failed: number;
  readonly running: number;
}

/** No function has this name. */
export class UnknownFunctionError extends Error {
  readonly code = 'ResourceNotFoundException';
}

/** The handler did not answer in time. It may still be running: nothing here can stop it, unlike in AWS. */
export class FunctionTimeoutError extends Error {
  readonly code = 'Sandbox.Timedout';
}

/** What the handler answered is more than Lambda hands on. */
export class FunctionResponseTooLargeError extends Error {
  readonly code = 'Function.ResponseSizeTooLarge';
}

interface Counts {
  started: number;
  failed: number;
  running: number;
}

/** Runs functions by name, with Lambda's context, timeout and limit of what they answer. */
export class FunctionRegistry {
  readonly #functions = new Map<string, FunctionDefinition>();
  readonly #counts = new Map<string, Counts>();

  constructor(table: FunctionTable = {}) {
    this.addAll(table);
  }

  addAll(table: FunctionTable): void {
    for (const [name, definition] of Object.entries(table)) {
      this.#functions.set(name, definition);
      this.#counts.set(name, { started: 0, failed: 0, running: 0 });
    }
  }

  has(name: string): boolean {
    return this.#functions.has(name);
  }

  /** Counts since the start, by function name. */
  counts(): ReadonlyMap<string, InvocationCounts> {
    return this.#counts;
  }

  /**
   * Resolves with what the handler answers.
   *
   * @param event belongs to the handler from here on, as a parsed payload does in AWS
   * @throws UnknownFunctionError, FunctionTimeoutError, FunctionResponseTooLargeError, or what the handler throws
   */
  async invoke(name: string, event: unknown): Promise<unknown> {
    const definition = this.#functions.get(name);
    const counts = this.#counts.get(name);
    if (definition === undefined || counts === undefined) throw new UnknownFunctionError(`No function named ${name}.`);
    const timeoutMs = (definition.timeoutSeconds ?? 30) * 1000;
    const context = lambdaContext(name, timeoutMs);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new FunctionTimeoutError(`${name} timed out after ${timeoutMs / 1000} s (${context.awsRequestId}).`));
      }, timeoutMs);
      timer.unref();
    });
    counts.started++;
    counts.running++;
    try {
      // The registry cannot know each handler's event type; the caller sends the one its trigger defines.
      const response = await Promise.race([definition.handler(event as never, context), timeout]);
      assertSize(name, response);
      return response;
    } catch (error) {
      counts.failed++;
      throw error;
    } finally {
      counts.running--;
      clearTimeout(timer);
    }
  }
}

function assertSize(name: string, response: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(response) ?? '');
  if (bytes <= LAMBDA_PAYLOAD_BYTES) return;
  throw new FunctionResponseTooLargeError(`${name} answered ${bytes} bytes, of ${LAMBDA_PAYLOAD_BYTES} at most.`);
}

function lambdaContext(name: string, timeoutMs: number): Context {
  const deadline = performance.now() + timeoutMs;
  const awsRequestId = randomUUID();
  return {
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn(name),
    memoryLimitInMB: '1024',
    awsRequestId,
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())),
    done: noCallbacks,
    fail: noCallbacks,
    succeed: noCallbacks,
  };
}

function noCallbacks(): never {
  throw new Error('Handlers answer with a promise; the callbacks of old runtimes do not exist here.');
}
