import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Command, CommandOf, CommandType } from '#shared/contracts/commands.ts';
import type { ChatId } from '#shared/domain/chat-id.ts';
import { parseChatId } from '#shared/domain/chat-id.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { laterForm, schemaErrors } from '#test/contracts/published-schemas.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '#test/simulator/simulator.ts';
import { contentAt } from '../../sessions/event-content.ts';
import type { CommandOutcome } from '../engine.ts';
import { EngineHarness, type HarnessOptions, type TestJob } from '../engine-harness.ts';
import { createNowebEngineFactory } from './noweb-engine-factory.ts';
import type { NowebOptions } from './options.ts';

/** A simulated WhatsApp for the tests of one file, and NOWEB sessions on it that are stopped after each test. */
export interface NowebWorld {
  readonly simulator: Simulator;
  session(options?: Partial<NowebOptions>, harness?: HarnessOptions): EngineHarness;
  /** A session that is paired and WORKING; every call is another account. */
  paired(options?: Partial<NowebOptions>, harness?: HarnessOptions): Promise<PairedSession>;
  contact(name: string): { readonly phone: string; readonly chatId: ChatId; readonly lid: string };
}

interface PairedSession {
  readonly harness: EngineHarness;
  readonly phone: string;
  run<T extends CommandType>(command: CommandOf<T>, job?: TestJob): Promise<CommandOutcome>;
}

export function useNowebWorld(simulatorOptions: SimulatorOptions = {}): NowebWorld {
  let simulator: Simulator | undefined;
  let harnesses: EngineHarness[] = [];
  let accounts = 0;

  beforeAll(async () => {
    simulator = await startSimulator(simulatorOptions);
    setDefaultCACertificates([...getCACertificates('default'), simulator.caPem]);
  });
  afterEach(async () => {
    await Promise.all(harnesses.map(({ engine }) => engine.stop()));
    const told = harnesses.flatMap(({ events }) => events);
    harnesses = [];
    simulator?.clearFaults();
    for (const { body } of told) {
      const content = contentAt('https://wa.example.com', body);
      const envelope = { ...eventEnvelope(body), payload: content.payload };
      expect(schemaErrors(body.event, envelope)).toEqual([]);
      expect(schemaErrors(body.event, laterForm(envelope))).toEqual([]);
    }
  });
  afterAll(async () => {
    if (!simulator) return;
    const { violations, unknownIqs, unknownStanzas } = simulator.stats();
    await simulator.close();
    expect({ violations, unknownIqs, unknownStanzas }).toEqual({ violations: [], unknownIqs: {}, unknownStanzas: {} });
  });

  const running = (): Simulator => {
    if (!simulator) throw new Error('the simulator runs only during tests');
    return simulator;
  };

  const session: NowebWorld['session'] = (options = {}, harnessOptions = {}) => {
    const factory = createNowebEngineFactory({
      whatsappUrl: running().wsUrl,
      whatsappRootKey: running().rootKey,
      reconnect: { baseMs: 10, maxMs: 50 },
      ...options,
    });
    const made = new EngineHarness(factory, { session: `s${harnesses.length + 1}`, ...harnessOptions });
    harnesses.push(made);
    return made;
  };

  return {
    get simulator() {
      return running();
    },
    session,
    paired: async (options, harnessOptions) => {
      const harness = session(options, harnessOptions);
      accounts += 1;
      const phone = `49151000${String(accounts).padStart(5, '0')}`;
      harness.engine.start();
      await running().scanQr((await harness.reaches('SCAN_QR_CODE')).qr.value, phone);
      await harness.reaches('WORKING');
      return { harness, phone, run: (command, job) => runCommand(harness, command, job) };
    },
    contact: (name) => {
      const { phone, lid } = running().addContact({ name });
      return { phone, lid, chatId: chatOf(phone) };
    },
  };
}

let jobs = 0;

/** Runs a command as a job of its own. */
export function runCommand<T extends CommandType>(
  harness: EngineHarness,
  command: CommandOf<T>,
  job: TestJob = harness.job(`job-${++jobs}`),
): Promise<CommandOutcome> {
  const type: Command['type'] = command.type;
  const handler = harness.engine.handlers[type];
  if (!handler) throw new Error(`no handler for ${type}`);
  // The handler was found under the command's own type.
  return (handler as (command: CommandOf<T>, job: TestJob) => Promise<CommandOutcome>)(command, job);
}

export function chatOf(text: string): ChatId {
  const chat = parseChatId(text);
  if (!chat) throw new Error(`not a chat: ${text}`);
  return chat;
}
