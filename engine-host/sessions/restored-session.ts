import type { Logger } from 'pino';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { EngineName } from '#shared/contracts/session.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { EngineFactory, SessionState } from '../engines/engine.ts';
import { skipSeqs } from './seq-counter.ts';

export interface RenewalDeps {
  readonly engines: ReadonlyMap<EngineName, Pick<EngineFactory, 'afterRestore'>>;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Pick<Logger, 'info'>;
}

/** Which restore the state has been through. In the state itself, so that the note and what it tells of are one record. */
const KEY = 'meta/restored';

/**
 * Makes a state that comes from a backup safe to use, once for each restore. Whatever leaves afterwards waits until this is
 * durable, as for any change before it.
 */
export function renewRestored(
  { restored, engine, createdAt }: Pick<SessionRow, 'restored' | 'engine' | 'createdAt'>,
  state: SessionState,
  { engines, clock, logger }: RenewalDeps,
): void {
  const factory = engines.get(engine);
  if (restored === undefined || factory === undefined) return;
  if (Buffer.from(state.get(KEY) ?? []).toString() === restored) return;
  const changes = factory.afterRestore?.(state, clock.now()) ?? [];
  state.append([...changes, skipSeqs(state, createdAt), { key: KEY, value: Buffer.from(restored) }]);
  logger.info({ changes: changes.length }, 'the state of a session comes from a backup and has been renewed');
}
