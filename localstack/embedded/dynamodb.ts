import { mkdirSync } from 'node:fs';
import dynalite from 'dynalite';
import { type Listener, type ListenOptions, listen } from './loopback-listener.ts';

export interface DynamoDbOptions extends ListenOptions {
  /** Directory for the tables; what was acknowledged survives a killed process. In memory without it. */
  readonly path?: string;
}

/**
 * A DynamoDB without transactions, TTL and streams: single-item conditional writes, queries and indexes are all the
 * platform uses. Tables are usable at once; AWS takes seconds.
 */
export async function startDynamoDb(options: DynamoDbOptions = {}): Promise<Listener> {
  if (options.path !== undefined) mkdirSync(options.path, { recursive: true });
  const server = dynalite({
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
    ...(options.path === undefined ? {} : { path: options.path }),
  });
  return await listen(server, options);
}
