import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { WebhookConfig } from '#shared/contracts/webhooks.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import type { WebhookAnswer } from '#shared/domain/webhook-outcome.ts';
import { DispatcherWorld, OK, type Posted, status } from '#test/support/dispatcher-world.ts';

type Weather = 'fine' | 'refused' | 'hangs' | 'errors' | 'limits' | 'crowded' | 'moody' | 'picky';

interface Phase {
  readonly weather: Weather;
  /** Chats that write in it. */
  readonly chats: readonly number[];
  readonly minutes: number;
}

const phases = fc.array(
  fc.record<Phase>({
    weather: fc.constantFrom<Weather>('fine', 'refused', 'hangs', 'errors', 'limits', 'crowded', 'moody', 'picky'),
    chats: fc.array(fc.nat({ max: 4 }), { maxLength: 25 }),
    minutes: fc.integer({ min: 0, max: 30 }),
  }),
  { minLength: 1, maxLength: 6 },
);

const answers: Readonly<Record<Weather, (random: () => number, event: number) => WebhookAnswer>> = {
  fine: () => OK,
  refused: () => ({ kind: 'unreachable', reason: 'ECONNREFUSED' }),
  hangs: () => ({ kind: 'timeout' }),
  errors: (random) => status(random() < 0.5 ? 500 : 404),
  limits: (random) => status(429, random() < 0.5 ? '30' : undefined),
  crowded: (random) => (random() < 0.5 ? OK : status(429, random() < 0.5 ? '1' : '0')),
  moody: (random) => (random() < 0.5 ? OK : status(503)),
  picky: (_random, event) => (event % 3 === 0 ? status(500) : OK),
};

/** A small generator of its own, so that a failing case can be run again. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

class Trial {
  readonly world: DispatcherWorld;
  readonly taken: string[] = [];
  readonly #random: () => number;
  #weather: Weather = 'fine';

  constructor(world: DispatcherWorld, seed: number, crashes: number) {
    this.world = world;
    this.#random = randomOf(seed);
    world.answer = (posted) => this.#answer(posted);
    world.fault = () => {
      if (crashes === 0 || this.#random() >= crashes) return 'none';
      return this.#random() < 0.5 ? 'before' : 'after';
    };
  }

  async phase({ weather, chats, minutes }: Phase): Promise<void> {
    this.#weather = weather;
    for (const chat of chats) {
      const [id = ''] = await this.world.messages(String(chat));
      this.world.wakes.push({ session: 'alpha', endpointId: this.world.endpointId, event: { id } });
      if (this.#random() < 0.3) await this.#work(this.world.now);
    }
    await this.#work(this.world.now + minutes * 60_000);
  }

  /** The receiver is well, and nothing breaks any more. */
  async end(): Promise<void> {
    this.#weather = 'fine';
    this.world.fault = () => 'none';
    await this.#work(this.world.now + 72 * 3_600_000);
    expect([this.world.wakes, this.world.timers]).toEqual([[], []]);
  }

  /** Does what the queue brings until a time; what breaks comes again. */
  async #work(until: number): Promise<void> {
    for (let turns = 0; ; turns += 1) {
      if (turns > 5_000) throw new Error('It never comes to rest');
      const { world } = this;
      const wake = world.wakes.shift();
      if (wake === undefined) {
        world.timers.sort((a, b) => a.dueAt - b.dueAt);
        const [timer] = world.timers;
        if (timer === undefined || timer.dueAt > until) break;
        world.timers.shift();
        world.now = Math.max(world.now, timer.dueAt);
        world.wakes.push({ session: 'alpha', endpointId: world.endpointId });
        continue;
      }
      try {
        await world.wake(wake.event);
      } catch (error) {
        if (!(error instanceof DependencyError)) throw error;
        world.wakes.push(wake);
      }
    }
    this.world.now = Math.max(this.world.now, until);
  }

  #answer({ body }: Posted): WebhookAnswer {
    this.world.now += Math.floor(this.#random() * (this.#weather === 'hangs' ? 15_000 : 300));
    const answer = answers[this.#weather](this.#random, number(body.id));
    if (answer.kind === 'answered' && answer.status === 200) this.taken.push(body.id);
    return answer;
  }
}

const chatOf = (posted: readonly Posted[]) =>
  new Map(posted.map(({ body }) => [body.id, 'from' in body.payload ? String(body.payload.from) : '']));
const number = (id: string) => Number(id.slice('evt_'.length));

/** What has to hold whatever the receiver and the machine do. */
async function check(all: readonly Phase[], seed: number, crashes: number, webhook: Partial<WebhookConfig>) {
  const trial = new Trial(await DispatcherWorld.with(webhook), seed, crashes);
  trial.world.mostHeld = seed % 2 === 0 ? 1_000 : 10;
  for (const phase of all) await trial.phase(phase);
  await trial.end();
  const { world, taken } = trial;
  const first = [...new Set(taken)];
  const count = all.reduce((sum, { chats }) => sum + chats.length, 0);
  expect(first.map(number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  expect(await world.deliveries()).toEqual([]);
  if (crashes === 0) expect(taken).toHaveLength(count);
  if (!webhook.ordered) return;
  const chats = chatOf(world.posted);
  for (const chat of new Set(chats.values())) {
    const order = first.filter((id) => chats.get(id) === chat).map(number);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  }
}

it.each([
  ['an endpoint, on a machine that never breaks', { ordered: false }, 0],
  ['an ordered one', { ordered: true }, 0],
  ['an endpoint, on a machine that breaks at any step', { ordered: false }, 0.05],
  ['an ordered one', { ordered: true }, 0.05],
] as const)('%s: every event arrives, in order where that is asked for', async (_, webhook, crashes) => {
  await fc.assert(
    fc.asyncProperty(phases, fc.nat(), (all, seed) => check(all, seed, crashes, webhook)),
    { numRuns: 150 },
  );
});
