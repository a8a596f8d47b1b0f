import type { EventEnvelope } from '#shared/contracts/events.ts';
import type { UnpackEvent } from '#shared/ports/event-detail.ts';
import { envelopeIn } from './bus-event.ts';
import { project, type ReadModels, targetOf } from './projections.ts';

export interface EventProjectorDeps extends ReadModels {
  readonly unpackEvent: UnpackEvent;
}

export interface EventProjector {
  /**
   * Writes bus events (EventBridge's form) into the read models, those of one message one after the other, the rest
   * side by side.
   *
   * @returns one outcome for each event, in order; `error` when it has to come again
   */
  projectAll(busEvents: readonly (() => unknown)[]): Promise<readonly ProjectionOutcome[]>;
}

type ProjectionOutcome =
  | { readonly status: 'ignored' }
  | { readonly status: 'projected'; readonly event: EventEnvelope }
  /** `event` is known when it could be read. */
  | { readonly status: 'failed'; readonly error: unknown; readonly event: EventEnvelope | undefined };

/** The projector itself, for whoever gets bus events in process. Every event is given as a function that reads it. */
export function createEventProjector(deps: EventProjectorDeps): EventProjector {
  return {
    async projectAll(busEvents) {
      const write = createWriter(deps);
      return await Promise.all(
        busEvents.map(async (read): Promise<ProjectionOutcome> => {
          let event: EventEnvelope | undefined;
          try {
            event = await envelopeIn(read(), deps.unpackEvent);
            if (event === undefined) return { status: 'ignored' };
            await write(event);
            return { status: 'projected', event };
          } catch (error) {
            return { status: 'failed', error, event };
          }
        }),
      );
    },
  };
}

/** Writes the events of one batch: those of one message one after the other. */
function createWriter(models: ReadModels): (event: EventEnvelope) => Promise<void> {
  const lastOfTarget = new Map<string, Promise<void>>();
  return async (event) => {
    const target = targetOf(event);
    const write = after(lastOfTarget.get(target), () => project(event, models));
    lastOfTarget.set(target, write);
    await write;
  };
}

/** Runs `task` when `before` has ended, well or not. */
async function after(before: Promise<void> | undefined, task: () => Promise<void>): Promise<void> {
  await before?.catch(() => undefined);
  await task();
}
