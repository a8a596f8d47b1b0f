import { setTimeout as delay } from 'node:timers/promises';
import type { BenchWorld, PairedSession } from '../bench-world.ts';
import type { Contact } from '../contact.ts';
import { pricePerMessage, spentBy } from '../cpu-window.ts';
import { atMost, type FigureSheet, spread } from '../figure-sheet.ts';
import { profiling } from '../profiling.ts';
import type { ArrivedEvent, RuleQueue } from '../rule-queue.ts';

const PACE_MS = 50;
const TIMEOUT_MS = 60_000;

const messageId = ({ envelope }: ArrivedEvent) =>
  envelope.event === 'message' ? (envelope.payload.id.split('_')[2] ?? '') : '';

/** A contact writes 20 messages a second; how long until their events are at a rule's target. */
export async function measureReceiving(
  sheet: FigureSheet,
  world: BenchWorld,
  queue: RuleQueue,
  session: PairedSession,
  contact: Contact,
  count: number,
): Promise<void> {
  const isMessage = (envelope: { readonly event: string }) => envelope.event === 'message';
  const send = async (messages: number, paceMs: number) => {
    const sentAt = new Map<string, number>();
    const arriving = queue.collect(messages, isMessage, TIMEOUT_MS);
    const sending: Promise<void>[] = [];
    const start = performance.now();
    for (let index = 0; index < messages; index += 1) {
      await delay(Math.max(0, start + index * paceMs - performance.now()));
      const now = Date.now();
      sending.push(contact.send(session.phone, `inbound ${index}`).then((id) => void sentAt.set(id, now)));
    }
    const [events] = await Promise.all([arriving, ...sending]);
    return events.map((event) => {
      const sent = sentAt.get(messageId(event));
      if (sent === undefined) throw new Error('An event came for a message that was not sent.');
      return { event, queued: event.queuedAt - sent, received: event.receivedAt - sent };
    });
  };
  await send(20, PACE_MS);
  const { result, spent } = await spentBy(world.platform, () =>
    profiling.during(
      'paced inbound',
      () => world.platform.pids(),
      () => send(count, PACE_MS),
    ),
  );
  const received = spread(result.map((sample) => sample.received));
  const queued = spread(result.map((sample) => sample.queued));
  sheet.add({
    figure: "inbound to event at the rule's target",
    unit: 'ms',
    ...received,
    ...atMost(20, received.p50, 'ms p50'),
    details: { inQueueP50: queued.p50, inQueueP95: queued.p95 },
  });
  for (const figure of pricePerMessage('inbound message, 20/s', spent, count)) sheet.add(figure);
}
