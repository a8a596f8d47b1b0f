import { expect, test } from 'vitest';
import { DependencyError, EngineError, NotFoundError, NotOwnerError } from '#shared/domain/errors.ts';
import { KeysRefusedError } from '../group-key-memory.ts';
import { NoRoomError } from '../media-queue.ts';
import { outcomeOfFailure } from './outcome-of-failure.ts';

/** As Baileys throws: a status in `output`, the server's own code in `data`. */
function boom(statusCode: number, message: string, data?: number): Error {
  return Object.assign(new Error(message), { output: { statusCode }, data });
}

test.each([
  [new EngineError('media-refused', 'too large'), { kind: 'rejected', code: 'media-refused' }],
  [new NotFoundError('gone'), { kind: 'rejected', code: 'media-missing' }],
  [new NotOwnerError('not ours'), { kind: 'retry', reason: 'not-owner' }],
  [new NoRoomError(), { kind: 'retry', reason: 'no-room' }],
  [new KeysRefusedError('refused'), { kind: 'retry', reason: 'keys-refused' }],
  [new DependencyError('later'), { kind: 'retry', reason: 'dependency' }],
  [boom(428, 'Connection Closed'), { kind: 'retry', reason: 'connection-lost' }],
  [boom(408, 'Timed Out'), { kind: 'retry', reason: 'connection-lost' }],
  [boom(400, 'require atleast 1 contact'), { kind: 'rejected', code: 'invalid-content' }],
  [boom(500, 'forbidden', 403), { kind: 'rejected', code: 'forbidden' }],
  [boom(500, 'All encryptions failed'), { kind: 'rejected', code: 'encryption-failed' }],
  [boom(500, 'something else'), { kind: 'retry', reason: 'engine-error' }],
  [new TypeError('unexpected'), { kind: 'retry', reason: 'engine-error' }],
  ['thrown text', { kind: 'retry', reason: 'engine-error' }],
])('%s', (error, outcome) => {
  expect(outcomeOfFailure(error)).toMatchObject(outcome);
});
