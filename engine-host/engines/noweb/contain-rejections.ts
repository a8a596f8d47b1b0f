import type { EventEmitter } from 'node:events';

/**
 * Makes the listeners an emitter has now answer for the promises they return. Baileys listens with async functions
 * whose failures nobody awaits; without this one broken frame or a send on a closed socket ends the whole process.
 */
export function containRejections(
  emitter: EventEmitter,
  onRejection: (event: string | symbol, error: unknown) => void,
): void {
  for (const event of emitter.eventNames()) {
    const listeners = emitter.rawListeners(event);
    emitter.removeAllListeners(event);
    for (const listener of listeners) {
      emitter.on(event, (...values: unknown[]) => {
        const result: unknown = Reflect.apply(listener, emitter, values);
        if (result instanceof Promise) result.catch((error: unknown) => onRejection(event, error));
      });
    }
  }
}
