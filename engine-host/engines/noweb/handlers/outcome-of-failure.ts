import { DependencyError, EngineError, NotFoundError, NotOwnerError } from '#shared/domain/errors.ts';
import type { CommandOutcome } from '../../engine.ts';
import { KeysRefusedError } from '../group-key-memory.ts';
import { NoRoomError } from '../media-queue.ts';

/** What an exception on the way to WhatsApp means for the job. What is not understood is tried again. */
export function outcomeOfFailure(error: unknown): CommandOutcome {
  if (error instanceof EngineError) return { kind: 'rejected', code: error.reason, message: error.message };
  if (error instanceof NotFoundError) return { kind: 'rejected', code: 'media-missing', message: error.message };
  if (error instanceof NotOwnerError) return { kind: 'retry', reason: 'not-owner', afterSeconds: 1 };
  if (error instanceof DependencyError) return { kind: 'retry', reason: 'dependency', afterSeconds: 5 };
  if (error instanceof NoRoomError) return { kind: 'retry', reason: 'no-room', afterSeconds: 5 };
  if (error instanceof KeysRefusedError) return { kind: 'retry', reason: 'keys-refused', afterSeconds: 1 };
  const status = boomStatus(error);
  if (status === 400) return { kind: 'rejected', code: 'invalid-content', message: messageOf(error) };
  if (status === 403) return { kind: 'rejected', code: 'forbidden', message: messageOf(error) };
  if (status === 404) return { kind: 'rejected', code: 'not-found', message: messageOf(error) };
  // Baileys could encrypt for nobody at all: the other side has no usable keys, and another try would find none either.
  if (status === 500 && /encryptions failed/i.test(messageOf(error))) {
    return { kind: 'rejected', code: 'encryption-failed', message: 'The message could not be encrypted for anybody' };
  }
  if (status === 408 || status === 428) return { kind: 'retry', reason: 'connection-lost', afterSeconds: 1 };
  return { kind: 'retry', reason: 'engine-error', afterSeconds: 5 };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

/** Baileys throws Boom errors: the status is in `output.statusCode`, the server's own code in `data`. */
function boomStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('data' in error && typeof error.data === 'number') return error.data;
  if (!('output' in error) || typeof error.output !== 'object' || error.output === null) return undefined;
  const status: unknown = Reflect.get(error.output, 'statusCode');
  return typeof status === 'number' ? status : undefined;
}
