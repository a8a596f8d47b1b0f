import { setTimeout as delay } from 'node:timers/promises';
import type { BareBaileys } from '../bare-baileys.ts';
import type { BenchWorld, PairedSession } from '../bench-world.ts';
import { Contact } from '../contact.ts';
import { pricePerMessage, spentBy } from '../cpu-window.ts';
import { atMost, type FigureSheet, rounded, spread } from '../figure-sheet.ts';
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
  const send = async (messages: number) => {
    const sentAt = new Map<string, number>();
    const arriving = queue.collect(messages, isMessage, TIMEOUT_MS);
    const [events] = await Promise.all([arriving, sendPaced(contact, session.phone, messages, sentAt)]);
    return events.map((event) => {
      const sent = sentAt.get(messageId(event));
      if (sent === undefined) throw new Error('An event came for a message that was not sent.');
      return { event, queued: event.queuedAt - sent, received: event.receivedAt - sent };
    });
  };
  await send(20);
  const { result, spent } = await spentBy(world.platform, () =>
    profiling.during(
      'paced inbound',
      () => world.platform.pids(),
      () => send(count),
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

/** The same pace with bare Baileys: until the library hands the message over. */
export async function measureBareReceiving(
  sheet: FigureSheet,
  world: BenchWorld,
  bare: BareBaileys,
  count: number,
): Promise<void> {
  const contact = await Contact.create(world.whatsapp, 'Contact of bare Baileys');
  const [phone] = await bare.pair(1);
  if (phone === undefined) throw new Error('There is no bare socket.');
  const send = async (messages: number) => {
    const sentAt = new Map<string, number>();
    const [receivedAt] = await Promise.all([bare.receive(messages), sendPaced(contact, phone, messages, sentAt)]);
    return [...sentAt].map(([id, sent]) => (receivedAt[id] ?? Number.NaN) - sent);
  };
  await send(20);
  const before = await bare.usage();
  const samples = await send(count);
  await delay(500);
  const after = await bare.usage();
  sheet.add({ figure: 'inbound to bare Baileys', unit: 'ms', ...spread(samples) });
  const cpu = rounded((after.cpuMs - before.cpuMs) / count, 2);
  sheet.add({ figure: 'CPU per inbound message, 20/s, bare Baileys', unit: 'ms', n: count, value: cpu });
}

/** Sends texts at the pace and remembers when each was asked for, by its id. */
async function sendPaced(contact: Contact, to: string, messages: number, sentAt: Map<string, number>): Promise<void> {
  const sending: Promise<unknown>[] = [];
  const start = performance.now();
  for (let index = 0; index < messages; index += 1) {
    await delay(Math.max(0, start + index * PACE_MS - performance.now()));
    const now = Date.now();
    sending.push(contact.send(to, `inbound ${index}`).then((id) => sentAt.set(id, now)));
  }
  await Promise.all(sending);
}
