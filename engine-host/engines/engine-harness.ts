import { pino } from 'pino';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { type SessionConfig, wantsEngineEvents } from '#shared/contracts/session.ts';
import type { ChatId } from '#shared/domain/chat-id.ts';
import { EngineError, NotOwnerError } from '#shared/domain/errors.ts';
import type { SaidOfAuthor } from '#shared/domain/message-author.ts';
import { messageIdForJob } from '#shared/domain/message-id.ts';
import { traceparentOf } from '#shared/domain/trace-context.ts';
import type { RemoteFile } from '#shared/ports/remote-file.ts';
import type { Engine, EngineEvent, EngineFactory, EngineState, FrozenContent, JobContext } from './engine.ts';
import { MemorySessionState } from './memory-session-state.ts';

export interface HarnessOptions {
  readonly session?: string;
  readonly config?: SessionConfig;
  /** The state an earlier run left. */
  readonly state?: MemorySessionState;
  /** Takes an event on its way to the bus. @default it arrives at once */
  readonly publish?: (event: EngineEvent, published: () => void) => void;
}

/** Stands where a session's runner stands: gives an engine its context and remembers all it says. For tests. */
export class EngineHarness {
  readonly session: string;
  readonly state: MemorySessionState;
  readonly states: EngineState[] = [];
  readonly events: EngineEvent[] = [];
  readonly media = new MemoryMediaStore('test-media');
  readonly remote = new Map<string, Pick<RemoteFile, 'mimetype' | 'filename'> & { readonly body: Uint8Array }>();
  /** Contents of messages, as the read model has them. */
  readonly sent = new Map<string, Uint8Array>();
  /** Whose messages their contents were asked for. */
  readonly asked: SaidOfAuthor[] = [];
  /** Chats of those among them that the account has sent, as far as the read model has them. */
  readonly sentTo = new Map<string, ChatId>();
  readonly engine: Engine;
  owned = true;

  constructor(factory: EngineFactory, options: HarnessOptions = {}) {
    this.session = options.session ?? 'contract';
    this.state = options.state ?? new MemorySessionState();
    this.engine = factory.create({
      session: this.session,
      config: options.config ?? {},
      state: this.state,
      media: this.media,
      remoteFiles: {
        open: async (url) => {
          const file = this.remote.get(url);
          if (!file) throw new EngineError('media-missing', 'there is no such file');
          const { body, ...named } = file;
          return { ...named, mostBytes: body.byteLength, read: async () => body, close: () => {} };
        },
      },
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      logger: pino({ level: 'silent' }),
      assertOwned: () => {
        if (!this.owned) throw new NotOwnerError('this host does not own the session');
      },
      confirmOwned: async () => this.owned,
      onceMayConnect: (callback) => {
        callback();
        return () => {};
      },
      report: (state) => this.states.push(state),
      emit: (event, published) => {
        this.events.push(event);
        const { publish = (_, arrived) => queueMicrotask(arrived) } = options;
        publish(event, published ?? (() => {}));
      },
      wantsEngineEvents: () => wantsEngineEvents(options.config ?? {}),
      contentOf: async (id, author) => {
        this.asked.push(author);
        return this.sent.get(id);
      },
      sentContent: async (id, chatIds) => {
        const chatId = this.sentTo.get(id);
        return chatId && chatIds.includes(chatId) ? this.sent.get(id) : undefined;
      },
    });
  }

  get status(): EngineState | undefined {
    return this.states.at(-1);
  }

  /** Resolves with the next (or current) state of this status. */
  reaches<S extends EngineState['status']>(status: S): Promise<EngineState & { status: S }> {
    return eventually(`status ${status}`, () => {
      const last = this.states.at(-1);
      return last && hasStatus(last, status) ? last : undefined;
    });
  }

  /** Resolves with the first event of this name that fits. */
  event<N extends EngineEvent['body']['event']>(
    name: N,
    fits: (event: EngineEvent) => boolean = () => true,
  ): Promise<EngineEvent & { body: { event: N } }> {
    return eventually(`event ${name}`, () =>
      this.events.find((event) => event.body.event === name && fits(event)),
    ).then(
      // The name was just compared.
      (event) => event as EngineEvent & { body: { event: N } },
    );
  }

  job(jobId: string): TestJob {
    return new TestJob(this.session, jobId, this.sent);
  }
}

/** A job's row, in memory: what is frozen once stays frozen. */
export class TestJob implements JobContext {
  readonly jobId: string;
  readonly messageId: string;
  traceparent: string | undefined;
  readonly #sent: Map<string, Uint8Array>;
  frozen: FrozenContent | undefined;
  signal = new AbortController().signal;
  freezes = 0;

  constructor(session: string, jobId: string, sent: Map<string, Uint8Array>) {
    this.jobId = jobId;
    this.messageId = messageIdForJob(session, jobId);
    this.traceparent = traceparentOf(session, jobId);
    this.#sent = sent;
  }

  async freeze(content: FrozenContent): Promise<FrozenContent> {
    this.freezes += 1;
    this.frozen ??= content;
    this.#sent.set(this.messageId, this.frozen.content);
    return this.frozen;
  }
}

function hasStatus<S extends EngineState['status']>(
  state: EngineState,
  status: S,
): state is EngineState & { status: S } {
  return state.status === status;
}

const DEADLINE_MS = 15_000;

/** Polls until `probe` gives something; fails naming what was waited for. */
export async function eventually<T>(what: string, probe: () => T | undefined, deadlineMs = DEADLINE_MS): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = probe();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
