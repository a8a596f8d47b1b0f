import type { EngineName } from '#shared/contracts/session.ts';
import type { CommandHandlers, Engine, EngineContext, EngineFactory } from '../engines/engine.ts';

/** An engine that does what a test says and keeps a record of what it was told. */
export class FakeEngine implements Engine {
  readonly context: EngineContext;
  readonly handlers: CommandHandlers;
  readonly told: string[];
  readonly #onStart: (engine: FakeEngine) => void;

  constructor(
    context: EngineContext,
    handlers: CommandHandlers,
    told: string[],
    onStart: (engine: FakeEngine) => void = () => {},
  ) {
    this.context = context;
    this.handlers = handlers;
    this.told = told;
    this.#onStart = onStart;
  }

  start(): void {
    this.told.push('start');
    this.#onStart(this);
  }

  async stop(): Promise<void> {
    this.told.push('stop');
  }

  async logout(): Promise<void> {
    this.told.push('logout');
  }

  work(): void {
    this.context.report({
      status: 'WORKING',
      me: { id: '4915112345678@c.us', pushName: null, lid: null, jid: null },
    });
  }
}

export class FakeEngineFactory implements EngineFactory {
  readonly name: EngineName = 'SCRIPTED';
  readonly capabilities = new Set<never>();
  /** What all engines were told, in order. */
  readonly told: string[] = [];
  readonly engines: FakeEngine[] = [];
  handlers: CommandHandlers = {};
  /** Runs inside `create`, so that a test can let it throw. */
  beforeCreate: () => void = () => {};
  /** Runs inside `start`. */
  onStart: (engine: FakeEngine) => void = () => {};

  create(context: EngineContext): Engine {
    this.beforeCreate();
    const engine = new FakeEngine(context, this.handlers, this.told, (started) => this.onStart(started));
    this.engines.push(engine);
    return engine;
  }

  get last(): FakeEngine {
    const engine = this.engines.at(-1);
    if (engine === undefined) throw new Error('no engine was made');
    return engine;
  }
}
