import * as z from 'zod';
import type { BenchWorld, PairedSession } from '../bench-world.ts';
import type { Contact } from '../contact.ts';
import { pricePerMessage, spentBy } from '../cpu-window.ts';
import { atMost, type FigureSheet, rounded, spread } from '../figure-sheet.ts';
import { profiling } from '../profiling.ts';

const sentSchema = z.object({ id: z.string() });

/** Sends a text and waits until the contact has it; milliseconds until the API answered and until it arrived. */
export async function measuredSend(
  world: BenchWorld,
  session: PairedSession,
  contact: Contact,
  text: string,
): Promise<{ answered: number; arrived: number }> {
  const sentAt = Date.now();
  const started = performance.now();
  const body = { session: session.name, chatId: contact.phone, text };
  const { id } = sentSchema.parse(await world.api.call('POST', '/api/sendText', body));
  const answered = performance.now() - started;
  const [delivery] = await contact.deliveries(1);
  if (delivery === undefined || !id.endsWith(delivery.id)) throw new Error('The contact got another message.');
  return { answered, arrived: delivery.receivedAt - sentAt };
}

/** One text after the other: each waits until the contact has the one before. */
export async function measureSending(
  sheet: FigureSheet,
  world: BenchWorld,
  session: PairedSession,
  contact: Contact,
  count: number,
): Promise<void> {
  const accepted: number[] = [];
  const delivered: number[] = [];
  const sendOne = (text: string) => measuredSend(world, session, contact, text);
  const first = await sendOne('the first one');
  for (let index = 0; index < 20; index += 1) await sendOne(`warm-up ${index}`);
  const { spent } = await spentBy(world.platform, () =>
    profiling.during(
      'sequential sends',
      () => world.platform.pids(),
      async () => {
        for (let index = 0; index < count; index += 1) {
          const { answered, arrived } = await sendOne(`message ${index}`);
          accepted.push(answered);
          delivered.push(arrived);
        }
      },
    ),
  );
  sheet.add({
    figure: 'POST sendText to 201',
    unit: 'ms',
    ...spread(accepted),
    details: { firstOfPair: rounded(first.answered) },
  });
  const toContact = spread(delivered);
  sheet.add({
    figure: 'POST sendText to contact has it',
    unit: 'ms',
    ...toContact,
    ...atMost(30, toContact.p50, 'ms p50'),
    details: { firstOfPair: first.arrived },
  });
  for (const figure of pricePerMessage('send, one after the other', spent, count)) sheet.add(figure);
}
