import type { Context } from 'aws-lambda';
import { expect, it } from 'vitest';
import { LAMBDA_PAYLOAD_BYTES } from '#shared/contracts/lambda-payload.ts';
import {
  FunctionRegistry,
  FunctionResponseTooLargeError,
  FunctionTimeoutError,
  UnknownFunctionError,
} from './function-registry.ts';

it('runs a function with its event and a context', async () => {
  const handler = async (event: { readonly n: number }, context: Context) => [event.n, context.functionName];
  const functions = new FunctionRegistry({ double: { handler } });
  expect(await functions.invoke('double', { n: 2 })).toEqual([2, 'double']);
  expect(functions.counts().get('double')).toEqual({ started: 1, failed: 0, running: 0 });
});

it('hands on what a function throws, and counts it', async () => {
  const handler = async () => {
    throw new Error('no');
  };
  const functions = new FunctionRegistry({ bad: { handler } });
  await expect(functions.invoke('bad', {})).rejects.toThrow('no');
  expect(functions.counts().get('bad')).toEqual({ started: 1, failed: 1, running: 0 });
});

it('gives up on a function that does not answer in time', async () => {
  const functions = new FunctionRegistry({ slow: { handler: () => new Promise(() => {}), timeoutSeconds: 0.01 } });
  // The registry's timer keeps no process alive; this one does.
  const alive = setInterval(() => {}, 1000);
  await expect(functions.invoke('slow', {})).rejects.toThrow(FunctionTimeoutError);
  clearInterval(alive);
});

it('hands on as much as Lambda does, as JSON, and not a byte more', async () => {
  const functions = new FunctionRegistry({
    repeat: { handler: async ({ count }: { readonly count: number }) => 'é'.repeat(count) },
    silent: { handler: async () => undefined },
  });
  const most = (LAMBDA_PAYLOAD_BYTES - 2) / 2;
  expect(await functions.invoke('repeat', { count: most })).toHaveLength(most);
  await expect(functions.invoke('repeat', { count: most + 1 })).rejects.toThrow(FunctionResponseTooLargeError);
  expect(functions.counts().get('repeat')).toMatchObject({ failed: 1 });
  expect(await functions.invoke('silent', {})).toBeUndefined();
});

it('knows no other function', async () => {
  await expect(new FunctionRegistry().invoke('none', {})).rejects.toThrow(UnknownFunctionError);
});
