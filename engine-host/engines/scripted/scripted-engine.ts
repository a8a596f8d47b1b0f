import type { SendCommand } from '#shared/contracts/commands.ts';
import { type Me, meSchema } from '#shared/contracts/session.ts';
import { NotOwnerError } from '#shared/domain/errors.ts';
import type { CommandHandlers, CommandOutcome, Engine, EngineContext, FailureReason, JobContext } from '../engine.ts';
import type { ScriptedMessage, ScriptListener, SessionScript } from './engine-script.ts';
import { decodeText, encodeText, textOf } from './scripted-content.ts';
import { eventOfSend, eventsOfReceived } from './scripted-events.ts';

const PAIRED = 'paired';
const SENDS = 'sends';
const QR_LIFETIME_MS = 60_000;
const NOT_CONNECTED: CommandOutcome = { kind: 'retry', reason: 'not-connected', afterSeconds: 1 };

/** The engine port in memory: speaks to nobody but the script that a test holds. */
export class ScriptedEngine implements Engine, ScriptListener {
  readonly handlers = handlersOf(this);
  readonly #context: EngineContext;
  readonly #script: SessionScript;
  #me: Me | undefined;
  #over = false;

  constructor(context: EngineContext, script: SessionScript) {
    this.#context = context;
    this.#script = script;
  }

  start(): void {
    this.#script.attach(this);
    this.#context.report({ status: 'STARTING' });
    queueMicrotask(() => this.#connect());
  }

  async stop(): Promise<void> {
    this.#over = true;
    this.#script.detach(this);
  }

  async logout(): Promise<void> {
    await this.stop();
  }

  #connect(): void {
    if (this.#over || !this.#script.connected) return;
    const stored = this.#context.state.get(PAIRED);
    if (stored) {
      this.#me = meSchema.parse(JSON.parse(Buffer.from(stored).toString()));
      this.#context.report({ status: 'WORKING', me: this.#me });
      return;
    }
    const expiresAt = this.#context.clock.now() + QR_LIFETIME_MS;
    this.#context.report({ status: 'SCAN_QR_CODE', qr: { value: `2@scripted,${this.#context.session}`, expiresAt } });
    if (this.#script.pairsItself) this.#script.pair();
  }

  paired(me: Me): void {
    this.#context.state.append([{ key: PAIRED, value: Buffer.from(JSON.stringify(me)) }]);
    this.#connect();
  }

  received(message: ScriptedMessage): void {
    if (this.#over || !this.#me) return;
    for (const event of eventsOfReceived(message, this.#me.id, encodeText(message.text))) this.#context.emit(event);
  }

  connected(isConnected: boolean): void {
    if (this.#over) return;
    if (isConnected) this.#connect();
    else {
      this.#me = undefined;
      this.#context.report({ status: 'STARTING', reason: 'connection-lost' });
    }
  }

  failed(reason: FailureReason): void {
    this.#over = true;
    this.#me = undefined;
    this.#script.detach(this);
    this.#context.report({ status: 'FAILED', reason, message: `the script says ${reason}` });
  }

  async send(command: SendCommand, job: JobContext): Promise<CommandOutcome> {
    if (!this.#me) return NOT_CONNECTED;
    if (this.#script.strangers.has(command.chatId)) {
      return { kind: 'rejected', code: 'not-on-whatsapp', message: 'This phone number is not registered on WhatsApp' };
    }
    const { content } = job.frozen ?? (await job.freeze({ content: encodeText(textOf(command)) }));
    const failure = this.#script.takeFailure();
    if (failure) return failure;
    job.signal.throwIfAborted();
    try {
      this.#context.assertOwned();
    } catch (error) {
      if (error instanceof NotOwnerError) return { kind: 'retry', reason: 'not-owner', afterSeconds: 1 };
      throw error;
    }
    this.#context.state.append([{ key: SENDS, value: Buffer.from(String(this.#script.sent.length + 1)) }]);
    this.#script.sent.push({ messageId: job.messageId, chatId: command.chatId, text: decodeText(content), content });
    await new Promise((resolve) => setTimeout(resolve, this.#script.ackMs));
    const { me, over } = { me: this.#me, over: this.#over };
    if (!me || over) return { kind: 'retry', reason: 'connection-lost', afterSeconds: 1 };
    const timestamp = Math.floor(this.#context.clock.now() / 1000);
    const { messageId, traceparent } = job;
    this.#context.emit({ ...eventOfSend(command, { messageId, content, me: me.id, timestamp }), traceparent });
    return { kind: 'sent', timestamp };
  }

  async control(result: Record<string, unknown>): Promise<CommandOutcome> {
    return this.#me ? { kind: 'done', result } : NOT_CONNECTED;
  }

  exists(phone: string): Promise<CommandOutcome> {
    const chatId = `${phone.replace(/\D/g, '')}@c.us`;
    return this.control(this.#script.strangers.has(chatId) ? { numberExists: false } : { numberExists: true, chatId });
  }

  async pairingCode(): Promise<CommandOutcome> {
    if (this.#me || this.#over || !this.#script.connected) {
      return { kind: 'rejected', code: 'wrong-state', message: 'The session does not wait to be paired' };
    }
    return { kind: 'done', result: { code: 'SCRI-PTED' } };
  }
}

export function handlersOf(engine: ScriptedEngine) {
  const send = (command: SendCommand, job: JobContext): Promise<CommandOutcome> => engine.send(command, job);
  return {
    sendText: send,
    sendImage: send,
    sendFile: send,
    sendVideo: send,
    sendVoice: send,
    sendLocation: send,
    sendContactVcard: send,
    sendPoll: send,
    sendReaction: send,
    forwardMessage: send,
    editMessage: send,
    deleteMessage: send,
    sendSeen: () => engine.control({}),
    setTyping: () => engine.control({}),
    checkExists: ({ phone }) => engine.exists(phone),
    requestPairingCode: () => engine.pairingCode(),
  } satisfies CommandHandlers;
}
