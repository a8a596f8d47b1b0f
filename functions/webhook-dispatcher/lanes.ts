/**
 * Runs work on items: those of one lane one after the other, in their order, several lanes side by side.
 *
 * @param work tells whether its lane goes on
 * @param stopped asked before each item
 * @throws what `work` throws, when all that was begun has ended
 */
export async function runLanes<T>(
  items: readonly T[],
  laneOf: (item: T) => string,
  atOnce: number,
  work: (item: T) => Promise<'go-on' | 'stop'>,
  stopped: () => boolean,
): Promise<void> {
  const lanes = new Map<string, T[]>();
  for (const item of items) {
    const lane = lanes.get(laneOf(item));
    if (lane === undefined) lanes.set(laneOf(item), [item]);
    else lane.push(item);
  }
  const waiting = [...lanes.values()];
  let isBroken = false;
  const worker = async () => {
    try {
      for (let lane = waiting.shift(); lane !== undefined; lane = waiting.shift()) {
        for (const item of lane) {
          if (isBroken || stopped()) return;
          if ((await work(item)) === 'stop') break;
        }
      }
    } catch (error) {
      isBroken = true;
      throw error;
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: Math.min(atOnce, waiting.length) }, worker));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
