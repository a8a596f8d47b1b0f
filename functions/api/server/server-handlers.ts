import type { serverOperations } from '#shared/contracts/api/server.ts';
import type { ApiDeps } from '../deps.ts';
import { json, type Reply } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';

/** No session can have this name; reading it tells whether the table answers. */
const PROBE = '~health';

/** The API about itself. */
export function createServerHandlers({
  sessions,
  clock,
  config,
  logger,
}: Pick<ApiDeps, 'sessions' | 'clock' | 'config' | 'logger'>): ApiHandlers<typeof serverOperations> {
  const version = async (): Promise<Reply> =>
    json({
      version: config.version,
      engine: config.engine,
      tier: 'TRUNKLINE',
      browser: null,
      platform: `${process.platform}/${process.arch}`,
      worker: { id: null },
    });
  return {
    ping: async () => json({ message: 'pong' }),
    health: async () => {
      const failed = await sessions.get(PROBE).then(
        () => false,
        (error: unknown) => {
          logger.warn({ err: error }, 'the sessions table does not answer');
          return true;
        },
      );
      const entry = { sessions: { status: failed ? 'down' : 'up' } };
      if (failed) return json({ status: 'error', info: {}, error: entry, details: entry }, 503);
      return json({ status: 'ok', info: entry, error: {}, details: entry });
    },
    getServerVersion: version,
    getVersion: version,
    getServerStatus: async () =>
      json({ startTimestamp: config.startedAt, uptime: clock.now() - config.startedAt, worker: { id: null } }),
  };
}
