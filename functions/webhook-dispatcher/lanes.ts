/**
 * Runs work on items: those of one lane one after the other, in their order, several lanes side by side.
 *
 * @param work tells whether its lane goes on
 * @param stopped asked before each item
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
  const worker = async () => {
    for (let lane = waiting.shift(); lane !== undefined; lane = waiting.shift()) {
      for (const item of lane) {
        if (stopped()) return;
        if ((await work(item)) === 'stop') break;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, waiting.length) }, worker));
}
