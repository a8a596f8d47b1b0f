import type { EventEnvelope } from '#shared/contracts/events.ts';
import { BenchWorld, type PairedSession } from '../bench-world.ts';
import { Contact } from '../contact.ts';
import { untilQuiet } from '../cpu-window.ts';
import { type FigureSheet, rounded } from '../figure-sheet.ts';
import type { ProcessUsage } from '../process-usage.ts';
import { type ArrivedEvent, RuleQueue } from '../rule-queue.ts';

const SESSIONS = 10;
const TIMEOUT_MS = 120_000;

interface Faults {
  readonly lost: number;
  readonly twice: number;
  readonly reordered: number;
}

interface Drained {
  /** When the host was started, milliseconds since 1970. */
  readonly startedAt: number;
  readonly events: readonly ArrivedEvent[];
  readonly faults: Faults;
  readonly host: ProcessUsage;
}

/**
 * While no host runs, contacts send as many messages as would come in a minute; then the host is started. The downtime is as
 * short as the sending: the server keeps the same messages whether they came in a minute or in a moment.
 */
export async function measureBacklog(sheet: FigureSheet, perSecond: number): Promise<void> {
  const each = (perSecond * 60) / SESSIONS;
  const world = await BenchWorld.start();
  try {
    const sessions = await world.pairAll(Array.from({ length: SESSIONS }, (_, index) => `backlog-${index}`));
    const contacts = await Promise.all(sessions.map(({ name }) => Contact.create(world.whatsapp, `Friend of ${name}`)));
    const queue = await RuleQueue.create(world.platform.env, 'backlog', ['message']);
    try {
      const inbound = new Map<string, ArrivedEvent[]>();
      queue.listen((event) => {
        const events = inbound.get(event.envelope.session) ?? [];
        inbound.set(event.envelope.session, [...events, event]);
      });
      const acquainted = queue.collect(SESSIONS, () => true, TIMEOUT_MS);
      await sendEach(sessions, contacts, 1);
      await acquainted;
      await untilQuiet(world.platform);
      await world.platform.takeDown('SIGKILL');
      inbound.clear();
      const sent = await sendEach(sessions, contacts, each);
      const arriving = queue.collect(SESSIONS * each, firstOfItsId(), TIMEOUT_MS);
      const startedAt = await world.platform.bringUp();
      const events = await arriving;
      // What comes twice may come later.
      await untilQuiet(world.platform);
      const { host } = await world.platform.usage();
      addFigure(sheet, { startedAt, events, faults: compare(sent, inbound), host });
    } finally {
      await queue.stop();
    }
  } finally {
    await world.stop();
  }
}

/** Texts from the contact to its session, in order; resolves to their ids by session. */
async function sendEach(
  sessions: readonly PairedSession[],
  contacts: readonly Contact[],
  count: number,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const sending = sessions.map(async ({ name, phone }, index) => {
    const ids: string[] = [];
    for (let number = 0; number < count; number += 1) {
      const id = await contacts[index]?.send(phone, `text ${number}`);
      if (id !== undefined) ids.push(id);
    }
    return [name, ids] as const;
  });
  return new Map(await Promise.all(sending));
}

function firstOfItsId(): (envelope: EventEnvelope) => boolean {
  const ids = new Set<string>();
  return ({ id }) => ids.size < ids.add(id).size;
}

/** What went wrong with the messages of each session; the order is the one in which the session numbered its events. */
function compare(
  sent: ReadonlyMap<string, readonly string[]>,
  inbound: ReadonlyMap<string, readonly ArrivedEvent[]>,
): Faults {
  const faults = { lost: 0, twice: 0, reordered: 0 };
  for (const [session, ids] of sent) {
    const events = (inbound.get(session) ?? []).map(({ envelope }) => envelope);
    const arrived = events.toSorted((a, b) => a.seq - b.seq).map(messageId);
    const unique = [...new Set(arrived)];
    const present = ids.filter((id) => unique.includes(id));
    faults.lost += ids.length - present.length;
    faults.twice += arrived.length - unique.length;
    faults.reordered += present.filter((id, index) => unique[index] !== id).length;
  }
  return faults;
}

function messageId(envelope: EventEnvelope): string {
  return envelope.event === 'message' ? (envelope.payload.id.split('_')[2] ?? '') : '';
}

function addFigure(sheet: FigureSheet, drained: Drained): void {
  const { startedAt, events, faults, host } = drained;
  const n = events.length;
  const queued = events.map(({ queuedAt }) => queuedAt);
  const first = Math.min(...queued);
  const last = Math.max(...queued);
  sheet.add({
    figure: `events/s of ${n} messages to ${SESSIONS} sessions that came while no host ran`,
    unit: '1/s',
    n,
    value: rounded(((n - 1) / (last - first)) * 1000),
    goal: 'all, once, in order',
    met: Object.values(faults).every((count) => count === 0),
    details: {
      ...faults,
      startToFirstSeconds: rounded((first - startedAt) / 1000, 2),
      startToLastSeconds: rounded((last - startedAt) / 1000, 2),
      hostPeakMb: rounded(host.peakMb),
      hostCpuMsEach: rounded(host.cpuMs / n, 2),
    },
  });
}
