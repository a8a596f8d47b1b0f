import { describe, expect, it } from 'vitest';
import { type Bundle, bundle } from '../../infra/constructs/bundle.ts';
import { FUNCTION_RIGHTS, type FunctionName, type FunctionRights } from '../../infra/stacks/function-rights.ts';
import { FUNCTION_SHAPES, type FunctionShape } from '../../infra/stacks/function-shapes.ts';

/** Importing more would take longer than the 120 ms of CPU that a cold start may have (`npm run bench -- --only functions`). */
const MOST_BYTES = 300 * 1024;

/** Which rights a client of AWS is for. */
const CLIENTS: Readonly<Record<string, (rights: FunctionRights) => boolean>> = {
  '@aws-sdk/client-dynamodb': ({ tables }) => Object.keys(tables).length > 0,
  '@aws-sdk/client-sqs': ({ queues, shardQueues }) => queues !== undefined || shardQueues !== undefined,
  '@aws-sdk/client-s3': ({ media }) => media !== undefined,
  '@aws-sdk/client-eventbridge': ({ events }) => events === true,
  '@aws-sdk/client-secrets-manager': ({ secrets }) => secrets !== undefined,
  '@aws-sdk/client-ecs': ({ hostCount }) => hostCount === true,
};

const rights: Readonly<Record<FunctionName, FunctionRights>> = FUNCTION_RIGHTS;
const shapes: Readonly<Record<FunctionName, FunctionShape>> = FUNCTION_SHAPES;
const names = Object.keys(FUNCTION_SHAPES).filter((name): name is FunctionName => name in rights);

const clientsIn = ({ contents }: Bundle) => contents.map(({ of }) => of).filter((of) => of in CLIENTS);

describe.each(names)('the bundle of %s', (name) => {
  const { entry, files } = shapes[name];

  it('is no larger than a cold start can bear', () => {
    expect(bundle(entry, files).gzipBytes).toBeLessThanOrEqual(MOST_BYTES);
  });

  it('has the clients that its role has a use for', () => {
    const used = Object.entries(CLIENTS).filter(([, isUsed]) => isUsed(rights[name]));
    expect(clientsIn(bundle(entry, files)).sort()).toEqual(used.map(([client]) => client).sort());
  });
});
