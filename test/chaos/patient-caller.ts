import type { LoadClient } from '#test/bench/load-client.ts';

export type Caller = Pick<LoadClient, 'call'>;

const MOST_TRIES = 4;

/**
 * Calls again when a connection that was kept open turns out to be closed. For calls that may happen twice: a message
 * that a contact sent without its id becoming known is nobody's loss.
 */
export function patientCaller(client: Caller): Caller {
  return {
    call: async (method, path, body) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await client.call(method, path, body);
        } catch (error) {
          const reset = error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
          if (!reset || attempt === MOST_TRIES) throw error;
        }
      }
    },
  };
}
