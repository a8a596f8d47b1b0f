import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CommandOf } from '#shared/contracts/commands.ts';
import type { ChatId } from '#shared/domain/chat-id.ts';
import type { EngineFactory } from './engine.ts';
import { EngineHarness, eventually, type HarnessOptions } from './engine-harness.ts';

/** One engine with the outside world it needs, as the contract suite uses it. */
export interface EngineUnderTest {
  readonly factory: EngineFactory;
  /** Session name of this test; the outside world may be tied to it. */
  readonly session: string;
  /** Somebody who is on WhatsApp. */
  readonly contact: ChatId;
  /** A number that is not. */
  readonly stranger: ChatId;
  /** A phone scans this QR code. */
  pair(qr: string): Promise<void>;
  /** The contact writes to the session. */
  receive(text: string): Promise<void>;
  /** Ids and texts that the contact has been sent so far, by the outside world's account. */
  delivered(): Promise<readonly { readonly id: string; readonly text: string }[]>;
  close(): Promise<void>;
}

/** What every engine must do the same way. */
export function defineEngineContract(name: string, setUp: () => Promise<EngineUnderTest>): void {
  describe(`engine contract: ${name}`, () => {
    let world: EngineUnderTest;
    let harnesses: EngineHarness[] = [];

    beforeEach(async () => {
      world = await setUp();
    });

    afterEach(async () => {
      await Promise.all(harnesses.map(({ engine }) => engine.stop()));
      harnesses = [];
      await world.close();
    });

    const harness = (options: Partial<HarnessOptions> = {}): EngineHarness => {
      const made = new EngineHarness(world.factory, { session: world.session, ...options });
      harnesses.push(made);
      return made;
    };

    const working = async (options: Partial<HarnessOptions> = {}): Promise<EngineHarness> => {
      const made = harness(options);
      made.engine.start();
      if (options.state === undefined) await world.pair((await made.reaches('SCAN_QR_CODE')).qr.value);
      await made.reaches('WORKING');
      return made;
    };

    const text = (body: string, chatId: ChatId = world.contact): CommandOf<'sendText'> => ({
      type: 'sendText',
      chatId,
      text: body,
    });

    const sendText = (made: EngineHarness) => {
      const handler = made.engine.handlers.sendText;
      if (!handler) throw new Error('the engine cannot send text');
      return handler;
    };

    test('reports STARTING, then a QR code with its expiry, then WORKING with the account', async () => {
      const made = await working();
      expect(made.states.map(({ status }) => status).slice(0, 3)).toEqual(['STARTING', 'SCAN_QR_CODE', 'WORKING']);
      const [, shown] = made.states;
      expect(shown).toMatchObject({ qr: { value: expect.stringMatching(/./), expiresAt: expect.any(Number) } });
      expect(made.status).toMatchObject({ me: { id: expect.stringMatching(/^\d+@c\.us$/) } });
      expect(made.status).toMatchObject({ me: { jid: expect.stringMatching(/^\d+:\d+@s\.whatsapp\.net$/) } });
    });

    test('has a handler for each capability and no other', () => {
      const made = harness();
      expect(new Set(Object.keys(made.engine.handlers))).toEqual(new Set(world.factory.capabilities));
    });

    test('stops more than once, and is silent afterwards', async () => {
      const made = await working();
      await Promise.all([made.engine.stop(), made.engine.stop()]);
      const said = { states: made.states.length, events: made.events.length, head: made.state.head };
      await world.receive('too late').catch(() => undefined);
      const again = await working({ state: made.state });
      await again.engine.stop();
      expect({ states: made.states.length, events: made.events.length }).toEqual({
        states: said.states,
        events: said.events,
      });
    });

    test('needs no QR code when it starts again with its state', async () => {
      const first = await working();
      await first.engine.stop();
      const second = await working({ state: first.state });
      expect(second.states.map(({ status }) => status)).not.toContain('SCAN_QR_CODE');
    });

    test('sends a text under the id that was decided before, and says when the server had it', async () => {
      const made = await working();
      const job = made.job('job-1');
      const outcome = await sendText(made)(text('hello'), job);
      expect(outcome).toMatchObject({ kind: 'sent', timestamp: expect.any(Number) });
      expect(await deliveredOf(world, 1)).toEqual([{ id: job.messageId, text: 'hello' }]);
      const event = await made.event('message.any');
      expect(event.key).toContain(job.messageId);
      expect(event.traceparent).toBe(job.traceparent);
      expect(event.body.payload).toMatchObject({ fromMe: true, source: 'api', body: 'hello', ack: 1 });
    });

    test('a second try sends the frozen content under the same id', async () => {
      const made = await working();
      const job = made.job('job-2');
      await sendText(made)(text('first words'), job);
      const frozen = job.frozen;
      await sendText(made)(text('other words'), job);
      expect(job.freezes).toBe(1);
      expect(job.frozen).toBe(frozen);
      const delivered = await world.delivered();
      expect(new Set(delivered.map(({ id }) => id))).toEqual(new Set([job.messageId]));
      expect(new Set(delivered.map((one) => one.text))).toEqual(new Set(['first words']));
    });

    test('refuses a number that is not on WhatsApp', async () => {
      const made = await working();
      const outcome = await sendText(made)(text('anybody there?', world.stranger), made.job('job-3'));
      expect(outcome).toMatchObject({ kind: 'rejected', code: 'not-on-whatsapp' });
    });

    test('asks for another try while it is not connected, and freezes nothing', async () => {
      const made = harness();
      made.engine.start();
      await made.reaches('SCAN_QR_CODE');
      const job = made.job('job-4');
      expect(await sendText(made)(text('too early'), job)).toMatchObject({ kind: 'retry', reason: 'not-connected' });
      expect(job.freezes).toBe(0);
    });

    test('lets nothing leave while the host may not act for the session', async () => {
      const made = await working();
      made.owned = false;
      const outcome = await sendText(made)(text('not mine to send'), made.job('job-5'));
      expect(outcome).toMatchObject({ kind: 'retry', reason: 'not-owner' });
      made.owned = true;
      await sendText(made)(text('mine again'), made.job('job-6'));
      expect((await deliveredOf(world, 1)).map((one) => one.text)).toEqual(['mine again']);
    });

    test('lets nothing leave of a try that is over, though its handler goes on', async () => {
      const made = await working();
      const job = made.job('job-8');
      const over = new AbortController();
      job.signal = over.signal;
      const freeze = job.freeze.bind(job);
      job.freeze = async (content) => {
        const frozen = await freeze(content);
        over.abort();
        return frozen;
      };
      await sendText(made)(text('too late'), job).catch(() => undefined);
      await sendText(made)(text('in time'), made.job('job-9'));
      expect((await deliveredOf(world, 1)).map((one) => one.text)).toEqual(['in time']);
    });

    test("a contact's message is `message` and `message.any`, under one stable key", async () => {
      const made = await working();
      await world.receive('good morning');
      const message = await made.event('message');
      const any = await made.event('message.any');
      expect(message.body.payload).toMatchObject({ body: 'good morning', from: world.contact, fromMe: false });
      expect(message.key).toMatch(new RegExp(`^false_${world.contact}_`));
      expect({ key: any.key, timestamp: any.timestamp }).toEqual({ key: message.key, timestamp: message.timestamp });
      expect(message.timestamp % 1000).toBe(0);
      expect(message.traceparent).toBeUndefined();
    });

    test('refuses a pairing code once it is paired', async () => {
      const made = await working();
      const outcome = await made.engine.handlers.requestPairingCode?.(
        { type: 'requestPairingCode', phone: '4915100000000' },
        made.job('job-7'),
      );
      expect(outcome).toMatchObject({ kind: 'rejected', code: 'wrong-state' });
    });
  });
}

async function deliveredOf(world: EngineUnderTest, count: number) {
  let delivered = await world.delivered();
  await eventually(`${count} delivered messages`, () => {
    void world.delivered().then((now) => {
      delivered = now;
    });
    return delivered.length >= count ? delivered : undefined;
  });
  return delivered;
}
