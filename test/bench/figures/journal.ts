import { BenchWorld, type PairedSession } from '../bench-world.ts';
import { Contact } from '../contact.ts';
import { spentBy } from '../cpu-window.ts';
import { atLeast, type FigureSheet, median, rounded } from '../figure-sheet.ts';
import { type PlatformVariant, WITHOUT_JOURNAL } from '../platform-under-test.ts';
import { Tables } from '../tables.ts';
import { measuredSend } from './sending.ts';
import { type Load, throughPlatform } from './throughput.ts';

const SESSIONS = 10;
const GOAL = 0.85;

/** What is measured in a round: a load of sends at once, and `singles` sends one after the other. */
export interface JournalLoad extends Load {
  readonly singles: number;
}

/** A platform with its sessions and somebody for each to write to. */
interface Side {
  readonly world: BenchWorld;
  readonly sessions: readonly PairedSession[];
  readonly contacts: readonly Contact[];
}

interface Round {
  readonly perSecond: number;
  /** Median of milliseconds from the request until the contact has it, on a platform that does nothing else. */
  readonly latency: number;
  /** CPU milliseconds of the host per send under load. */
  readonly hostCpu: number;
}

/** The same sends through the host as it is and through one that keeps its state in memory only, by turns. */
export async function measureJournal(sheet: FigureSheet, load: JournalLoad): Promise<void> {
  const durable = await startSide({});
  try {
    const forgetful = await startSide(WITHOUT_JOURNAL);
    try {
      for (const side of [durable, forgetful]) await runRound(side, { ...load, messages: load.clients * 2 });
      const pairs: { readonly durable: Round; readonly forgetful: Round }[] = [];
      for (let round = 0; round < load.rounds; round += 1) {
        // Whoever is second finds the machine warmer, or busier.
        const sides = round % 2 === 0 ? [durable, forgetful] : [forgetful, durable];
        const results = new Map<Side, Round>();
        for (const side of sides) results.set(side, await runRound(side, load));
        pairs.push({ durable: of(results, durable), forgetful: of(results, forgetful) });
      }
      if (!(await hasJournal(durable))) throw new Error('The host as it is has written no journal.');
      if (await hasJournal(forgetful)) throw new Error('The host without a journal has written one.');
      addFigures(sheet, pairs, load);
    } finally {
      await forgetful.world.stop();
    }
  } finally {
    await durable.world.stop();
  }
}

async function startSide(variant: PlatformVariant): Promise<Side> {
  const world = await BenchWorld.start(variant);
  try {
    const sessions = await world.pairAll(Array.from({ length: SESSIONS }, (_, index) => `journal-${index}`));
    const contacts = await Promise.all(sessions.map(({ name }) => Contact.create(world.whatsapp, `Friend of ${name}`)));
    return { world, sessions, contacts };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

async function runRound({ world, sessions, contacts }: Side, load: JournalLoad): Promise<Round> {
  const { result, spent } = await spentBy(world.platform, () => throughPlatform(world, sessions, contacts, load));
  const [session] = sessions;
  const [contact] = contacts;
  if (session === undefined || contact === undefined) throw new Error('There is no session.');
  const latencies: number[] = [];
  for (let index = 0; index < load.singles; index += 1) {
    latencies.push((await measuredSend(world, session, contact, `single ${index}`)).arrived);
  }
  return { perSecond: result.perSecond, latency: median(latencies), hostCpu: spent.host / load.messages };
}

function addFigures(
  sheet: FigureSheet,
  pairs: readonly { readonly durable: Round; readonly forgetful: Round }[],
  load: JournalLoad,
): void {
  const n = pairs.length;
  const both = (pick: (round: Round) => number) => ({
    with: rounded(median(pairs.map(({ durable }) => pick(durable))), 2),
    without: rounded(median(pairs.map(({ forgetful }) => pick(forgetful))), 2),
  });
  const ratios = (pick: (round: Round) => number) =>
    pairs.map(({ durable, forgetful }) => pick(durable) / pick(forgetful));
  const sends = ratios(({ perSecond }) => perSecond);
  const share = median(sends);
  sheet.add({
    figure: 'durable sends/s, of the same host without the journal',
    unit: 'ratio',
    n,
    value: rounded(share, 3),
    ...atLeast(GOAL, share, ''),
    details: {
      ...both(({ perSecond }) => perSecond),
      lowest: rounded(Math.min(...sends), 3),
      highest: rounded(Math.max(...sends), 3),
      messagesARound: load.messages,
    },
  });
  sheet.add({
    figure: 'p50 until the contact has it, of the same host without the journal',
    unit: 'ratio',
    n,
    value: rounded(median(ratios(({ latency }) => latency)), 3),
    details: { ...both(({ latency }) => latency), singlesARound: load.singles },
  });
  sheet.add({
    figure: "host's CPU per send, of the same host without the journal",
    unit: 'ratio',
    n,
    value: rounded(median(ratios(({ hostCpu }) => hostCpu)), 3),
    details: both(({ hostCpu }) => hostCpu),
  });
}

async function hasJournal({ world }: Side): Promise<boolean> {
  const tables = new Tables(world.platform.env);
  try {
    return await tables.hasJournal();
  } finally {
    tables.close();
  }
}

function of(results: ReadonlyMap<Side, Round>, side: Side): Round {
  const round = results.get(side);
  if (round === undefined) throw new Error('A side was not measured.');
  return round;
}
