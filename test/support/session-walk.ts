import { until } from '#localstack/demo/until.ts';
import type { RecordedEvents } from './recorded-events.ts';

const LONGEST_MS = 25_000;

/** The statuses that a session's events tell, from `afterSeq` on, in order. */
function statuses(events: RecordedEvents, session: string, afterSeq: number): readonly string[] {
  return events
    .of(session, 'session.status')
    .filter(({ seq }) => seq > afterSeq)
    .toSorted((a, b) => a.seq - b.seq)
    .flatMap((event) => (event.event === 'session.status' ? [event.payload.status] : []));
}

function highestSeq(events: RecordedEvents, session: string): number {
  return Math.max(0, ...events.of(session).map(({ seq }) => seq));
}

/** Waits until the last status that was told is `end`. */
export async function settle(events: RecordedEvents, session: string, end: string): Promise<void> {
  await until(
    `${session} ${end}`,
    async () => {
      await events.drain();
      return statuses(events, session, 0).at(-1) === end ? true : undefined;
    },
    LONGEST_MS,
  );
}

/** Does something to a settled session; resolves with the statuses it went through until it was `end`. */
export async function walk(
  events: RecordedEvents,
  session: string,
  act: () => unknown,
  end: string,
): Promise<readonly string[]> {
  await events.drain();
  const from = highestSeq(events, session);
  await act();
  return await until(
    `${session} ${end}`,
    async () => {
      await events.drain();
      const way = statuses(events, session, from);
      return way.at(-1) === end ? way : undefined;
    },
    LONGEST_MS,
  );
}
