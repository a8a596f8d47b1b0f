import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { type CallSite, findCallSites } from './kill-calls.ts';
import { callOf, type KillMoment, type KillPoint, killPointsNamed } from './kill-points.ts';

/**
 * Loaded before a host: it connects to the run, which tells it over this connection at which point the process is to
 * end. The product's own methods are wrapped, so the product knows nothing of it.
 */

const sending = new AsyncLocalStorage<() => void>();
let armed: KillPoint | undefined;

const control = connect({ host: '127.0.0.1', port: Number(process.env.CHAOS_CONTROL_PORT) });
control.unref();
control.write(`${JSON.stringify({ pid: process.pid })}\n`);
// Without the run nobody arms anything; the host hears of its end by itself.
control.on('error', () => control.destroy());
const orders = createInterface({ input: control });
orders.on('error', () => control.destroy());
orders.on('line', (name) => {
  armed = killPointsNamed(name)[0];
  control.write('armed\n');
});

// A request is under way when all of it has been handed to the operating system.
subscribe('http.client.request.created', (message) => {
  const leave = sending.getStore();
  if (leave !== undefined && isRequestMessage(message)) message.request.once('finish', leave);
});

for (const [call, site] of findCallSites()) {
  Reflect.set(site.prototype, site.method, function (this: unknown, ...args: readonly unknown[]): unknown {
    const point = armed;
    if (point === undefined || callOf(point) !== call) return Reflect.apply(site.original, this, args);
    armed = undefined;
    const moment = momentOf(point);
    if (moment === 'before') end();
    return call === 'wire-send' ? sendFrame(site, this, args, moment) : ask(site, this, args, point);
  });
}

async function ask(site: CallSite, owner: unknown, args: readonly unknown[], point: KillPoint): Promise<unknown> {
  const isDuring = momentOf(point) === 'during';
  try {
    return await sending.run(isDuring ? end : ignore, async () => Reflect.apply(site.original, owner, args));
  } finally {
    if (!isDuring) end();
    // It did not have to ask anybody.
    armed ??= point;
  }
}

/** A frame is under way when the socket has it, and away when it says that it has been written. */
function sendFrame(site: CallSite, owner: unknown, args: readonly unknown[], moment: KillMoment): unknown {
  const rest = args.filter((each) => typeof each !== 'function');
  const sent: unknown = Reflect.apply(site.original, owner, [...rest, end]);
  if (moment === 'during') end();
  return sent;
}

function end(): never {
  process.kill(process.pid, 'SIGKILL');
  // Nothing more may happen, not even within this tick.
  for (;;);
}

function ignore(): void {}

function momentOf(point: KillPoint): KillMoment {
  return point.endsWith(':before') ? 'before' : point.endsWith(':during') ? 'during' : 'after';
}

function isRequestMessage(message: unknown): message is { readonly request: ClientRequest } {
  return typeof message === 'object' && message !== null && 'request' in message;
}
