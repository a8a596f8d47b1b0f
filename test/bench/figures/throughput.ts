import { setTimeout as delay } from 'node:timers/promises';
import type { BareBaileys } from '../bare-baileys.ts';
import type { BenchWorld, PairedSession } from '../bench-world.ts';
import { Contact } from '../contact.ts';
import { pricePerMessage, type Spent, spentBy, together } from '../cpu-window.ts';
import { atLeast, type FigureSheet, median, rounded } from '../figure-sheet.ts';
import { profiling } from '../profiling.ts';

/** How much is sent in a round, and how many clients share it evenly. */
export interface Load {
  readonly messages: number;
  readonly clients: number;
  readonly rounds: number;
}

interface Round {
  readonly perSecond: number;
  /** How fast the API took them in. */
  readonly acceptedPerSecond: number;
  readonly spent: Spent;
}

/** The same sends through the platform and through bare Baileys, by turns: from the first call to the last delivery. */
export async function measureThroughput(
  sheet: FigureSheet,
  world: BenchWorld,
  sessions: readonly PairedSession[],
  bare: BareBaileys,
  load: Load,
): Promise<void> {
  const contacts = await Promise.all(sessions.map(({ name }) => Contact.create(world.whatsapp, `Friend of ${name}`)));
  await bare.pair(sessions.length);
  const warmUp = { ...load, messages: load.clients * 2 };
  await throughPlatform(world, sessions, contacts, warmUp);
  await throughBare(bare, contacts, warmUp);

  const ours: Round[] = [];
  const theirs: { readonly perSecond: number; readonly cpuMs: number }[] = [];
  for (let round = 0; round < load.rounds; round += 1) {
    const { result, spent } = await spentBy(world.platform, () =>
      profiling.during(
        'concurrent sends',
        () => world.platform.pids(),
        () => throughPlatform(world, sessions, contacts, load),
      ),
    );
    ours.push({ ...result, spent });
    theirs.push(await throughBare(bare, contacts, load));
  }

  const n = load.rounds;
  const perSecond = median(ours.map((round) => round.perSecond));
  const barePerSecond = median(theirs.map((round) => round.perSecond));
  const share = (perSecond / barePerSecond) * 100;
  sheet.add({
    figure: 'sends/s, 10 sessions, 20 clients',
    unit: '1/s',
    n,
    value: rounded(perSecond),
    details: {
      lowest: rounded(Math.min(...ours.map((round) => round.perSecond))),
      acceptedPerSecond: rounded(median(ours.map((round) => round.acceptedPerSecond))),
    },
  });
  sheet.add({ figure: 'sends/s, bare Baileys', unit: '1/s', n, value: rounded(barePerSecond) });
  sheet.add({
    figure: 'sends/s of bare Baileys',
    unit: '%',
    n,
    value: rounded(share),
    ...atLeast(50, share, '%'),
  });
  const spent = together(ours.map((round) => round.spent));
  for (const figure of pricePerMessage('send', spent, load.messages * n)) sheet.add(figure);
  sheet.add({
    figure: 'CPU per send, bare Baileys',
    unit: 'ms',
    n,
    value: rounded(median(theirs.map(({ cpuMs }) => cpuMs / load.messages)), 2),
  });
}

/** Sends texts from several clients at once: from the first call to the last delivery. */
export async function throughPlatform(
  world: BenchWorld,
  sessions: readonly PairedSession[],
  contacts: readonly Contact[],
  { messages, clients }: Pick<Load, 'messages' | 'clients'>,
): Promise<Omit<Round, 'spent'>> {
  const startedAt = Date.now();
  const client = async (number: number) => {
    const session = sessions[number % sessions.length]?.name;
    const chatId = contacts[number % contacts.length]?.phone;
    for (let index = 0; index < messages / clients; index += 1) {
      await world.api.call('POST', '/api/sendText', { session, chatId, text: `platform ${number}/${index}` });
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  const acceptedAt = Date.now();
  const deliveredAt = await lastDelivery(contacts, messages);
  return {
    perSecond: (messages / (deliveredAt - startedAt)) * 1000,
    acceptedPerSecond: (messages / (acceptedAt - startedAt)) * 1000,
  };
}

async function throughBare(
  bare: BareBaileys,
  contacts: readonly Contact[],
  { messages, clients }: Load,
): Promise<{ perSecond: number; cpuMs: number }> {
  const before = await bare.usage();
  const phones = contacts.map(({ phone }) => phone);
  const { startedAt } = await bare.send(phones, messages, clients);
  const seconds = ((await lastDelivery(contacts, messages)) - startedAt) / 1000;
  // Receipts are still on their way.
  await delay(500);
  const after = await bare.usage();
  return { perSecond: messages / seconds, cpuMs: after.cpuMs - before.cpuMs };
}

/** When the last message was decrypted; asks seldom, for its own requests take time from what is measured. */
async function lastDelivery(contacts: readonly Contact[], messages: number): Promise<number> {
  let last = 0;
  for (const contact of contacts) {
    const deliveries = await contact.deliveries(messages / contacts.length, 50);
    last = Math.max(last, ...deliveries.map(({ receivedAt }) => receivedAt));
  }
  return last;
}
