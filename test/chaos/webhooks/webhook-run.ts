import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { until } from '#localstack/demo/until.ts';
import { startSimulatorProcess } from '#localstack/start/simulator-process.ts';
import { LoadClient } from '#test/bench/load-client.ts';
import { PlatformUnderTest } from '#test/bench/platform-under-test.ts';
import { createTestCa } from '#test/simulator/wire/tls.ts';
import { type Caller, patientCaller } from '../patient-caller.ts';
import { seeded } from '../random.ts';
import { type Certificate, type Manner, Receiver } from './receivers.ts';
import { type Endpoint, judge, latencies, verifier, type WebhookVerdict, type Written } from './verdict.ts';

export interface WebhookChaosOptions {
  readonly seed: number;
  /** Endpoints that are well but for their time of faults. */
  readonly live: number;
  /** How long each of the calm and the chaotic part takes, seconds. */
  readonly calmSeconds: number;
  readonly chaosSeconds: number;
  /** How long the receiver that goes away stays away; the other faults take a third of it. */
  readonly downSeconds: number;
  /** Deaths of the process with the dispatcher, and of the host, in the chaotic part. */
  readonly kills: number;
  /** Texts a second. */
  readonly perSecond: number;
  readonly contacts: number;
  /** After the chaos: how long everything may take to arrive, seconds. */
  readonly settleSeconds: number;
  readonly say: (line: string) => void;
}

export interface WebhookChaosResult extends WebhookVerdict {
  /** Milliseconds from writing to arrival at the endpoints that are always well, medians and 95th percentiles. */
  readonly latency: {
    readonly calm: Percentiles;
    /** With the dead and the faulty ones beside them, while nothing is killed. */
    readonly beside: Percentiles;
    readonly ratio: number;
  };
  /**
   * CPU time that the process with functions and local cloud took in these parts, as a share of one core. It has one thread for all of
   * its JavaScript: near 1 there is a queue for it, and latencies tell of that alone.
   */
  readonly busy: { readonly calm: number; readonly beside: number };
  readonly kills: { readonly dispatcher: number; readonly host: number };
  readonly endpoints: { readonly well: number; readonly faulty: number; readonly dead: number };
}

interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly n: number;
}

const SESSION = 'hooked';
const FAULTS: readonly Manner[] = ['away', 'fails', 'hangs', 'asks-to-wait', 'mixed'];
const phoneSchema = z.object({ phone: z.string() });
const qrSchema = z.object({ value: z.string() });
const infoSchema = z.object({ status: z.string() });
const RECEIVERS_HOST = '127.0.0.1';

/** One installation, one session, and endpoints of all fates for its messages. */
export async function runWebhookChaos(options: WebhookChaosOptions): Promise<WebhookChaosResult> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-webhook-chaos-'));
  const simulator = await startSimulatorProcess(join(folder, 'whatsapp'));
  // The functions run in the launcher's process, which inherits this.
  process.env.WEBHOOK_ALLOW_PRIVATE_HOSTS = RECEIVERS_HOST;
  const launch = () => PlatformUnderTest.start(join(folder, 'platform'), simulator);
  let platform = await launch();
  const endpoints = await startEndpoints(options.live);
  const stopped = new AbortController();
  try {
    const { say } = options;
    const whatsapp = patientCaller(new LoadClient(simulator.adminUrl));
    const api = () => patientCaller(new LoadClient(platform.url, platform.apiKey));
    const phone = await pair(api(), whatsapp);
    const written: Written[] = [];
    const contacts = await Promise.all(
      Array.from({ length: options.contacts }, (_, index) =>
        whatsapp.call('POST', '/admin/contacts', { name: `Contact ${index}`, script: { decrypt: 'all' } }),
      ),
    );
    const traffic = Promise.all(
      contacts.map((contact, index) =>
        write(whatsapp, phoneSchema.parse(contact).phone, phone, written, stopped.signal, {
          pauseMs: (1000 * options.contacts) / options.perSecond,
          random: seeded(options.seed * 31 + index),
        }),
      ),
    );
    // Whoever stops it hears of a failure.
    traffic.catch(() => {});

    const live = endpoints.filter(({ fate }) => fate !== 'dead');
    await configure(api(), live);
    say(`calm: ${live.length} endpoints`);
    const calm = await span(options.calmSeconds, platform);

    await configure(api(), endpoints);
    say(`beside: ${endpoints.length} endpoints, ${endpoints.length - live.length} of them dead, some faulty`);
    const faulty = endpoints.filter(({ fate }) => fate === 'faulty');
    const faults = Promise.all(faulty.map((endpoint, index) => misbehave(endpoint, index, options)));
    const beside = await span(options.calmSeconds, platform);

    say('chaos: dispatcher and host are killed');
    const kills = { dispatcher: 0, host: 0 };
    const pauseMs = (options.chaosSeconds * 1000) / (2 * options.kills + 1);
    for (let turn = 0; turn < options.kills; turn += 1) {
      await delay(pauseMs);
      await platform.takeDown('SIGKILL');
      await platform.bringUp();
      kills.host += 1;
      await delay(pauseMs);
      await platform.kill();
      platform = await launch();
      kills.dispatcher += 1;
      say(`killed ${turn + 1} of ${options.kills} times each`);
    }
    await delay(pauseMs);
    await faults;
    stopped.abort();
    await traffic;
    say(`${written.length} texts written; waiting until they have arrived`);
    const settled = until(
      'everything at every live endpoint',
      async () => (judge(written, endpoints).faults.lost === 0 ? true : undefined),
      options.settleSeconds * 1000,
    );
    // What is missing then is in the verdict.
    await settled.catch(() => say('not everything has arrived'));

    const well = endpoints.filter(({ fate }) => fate === 'well');
    const before = percentiles(latencies(written, well, calm.time));
    const with_ = percentiles(latencies(written, well, beside.time));
    return {
      ...judge(written, endpoints),
      latency: { calm: before, beside: with_, ratio: Math.round((100 * with_.p95) / before.p95) / 100 },
      busy: { calm: calm.busy, beside: beside.busy },
      kills,
      endpoints: { well: well.length, faulty: faulty.length, dead: endpoints.length - live.length },
    };
  } finally {
    stopped.abort();
    await platform.stop();
    await simulator.stop();
    for (const { receiver } of endpoints) await receiver.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Live ones, of which two come to have each fault, one ordered and one not; and five that are dead, each in a way of its
 * own, one behind a certificate that nobody trusts.
 */
async function startEndpoints(live: number): Promise<readonly Endpoint[]> {
  const make = async (
    name: string,
    fate: Endpoint['fate'],
    manner: Manner,
    { ordered = true, tls = false } = {},
  ): Promise<Endpoint> => {
    const hmacKey = `key of ${name}`;
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const certificate = tls ? await untrusted() : undefined;
    const receiver = await new Receiver(name, { certificate, verify: verifier(hmacKey, secret) }).start();
    await receiver.become(manner);
    return { receiver, fate, hmacKey, secret, ordered };
  };
  const endpoints: Endpoint[] = [];
  for (let index = 0; index < live; index += 1) {
    const fate = index < 2 * FAULTS.length ? 'faulty' : 'well';
    endpoints.push(await make(`live-${index}`, fate, 'well', { ordered: index % 2 === 0 }));
  }
  endpoints.push(await make('dead-away', 'dead', 'away'));
  endpoints.push(await make('dead-hangs', 'dead', 'hangs', { ordered: false }));
  endpoints.push(await make('dead-fails', 'dead', 'fails'));
  endpoints.push(await make('dead-missing', 'dead', 'not-found', { ordered: false }));
  endpoints.push(await make('dead-certificate', 'dead', 'well', { tls: true }));
  return endpoints;
}

async function untrusted(): Promise<Certificate> {
  const { certPem, keyPem } = await createTestCa();
  return { key: keyPem, cert: certPem };
}

async function configure(api: Caller, endpoints: readonly Endpoint[]): Promise<void> {
  const webhooks = endpoints.map(({ receiver, hmacKey, secret, ordered }) => ({
    url: receiver.url,
    events: ['message'],
    ordered,
    hmac: { key: hmacKey },
    secrets: [secret],
  }));
  await api.call('PUT', `/api/sessions/${SESSION}`, { config: { webhooks } });
  await working(api);
}

async function misbehave({ receiver }: Endpoint, index: number, { downSeconds }: WebhookChaosOptions): Promise<void> {
  const manner = FAULTS[Math.floor(index / 2)] ?? 'fails';
  await receiver.become(manner);
  await delay((manner === 'away' ? downSeconds : downSeconds / 3) * 1000);
  await receiver.become('well');
}

async function pair(api: Caller, whatsapp: Caller): Promise<string> {
  await api.call('POST', '/api/sessions', { name: SESSION });
  const { value } = await until('a QR code', async () => {
    const answer = await api.call('GET', `/api/${SESSION}/auth/qr?format=raw`).catch(() => undefined);
    return answer === undefined ? undefined : qrSchema.parse(answer);
  });
  const { phone } = phoneSchema.parse(await whatsapp.call('POST', '/admin/mock-phone/scan-qr', value));
  await working(api);
  return phone;
}

async function working(api: Caller): Promise<void> {
  await until('the session WORKING', async () => {
    const { status } = infoSchema.parse(await api.call('GET', `/api/sessions/${SESSION}`));
    return status === 'WORKING' ? true : undefined;
  });
}

/** One text after the other from a contact, until it is stopped. */
async function write(
  whatsapp: Caller,
  from: string,
  to: string,
  written: Written[],
  signal: AbortSignal,
  { pauseMs, random }: { readonly pauseMs: number; readonly random: { between(low: number, high: number): number } },
): Promise<void> {
  for (let seq = 1; !signal.aborted; seq += 1) {
    await delay(pauseMs * random.between(0.5, 1.5), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const text = `${from} ${seq}`;
    const at = performance.timeOrigin + performance.now();
    await whatsapp.call('POST', `/admin/contacts/${from}/send`, { to, text });
    written.push({ text, from, seq, at });
  }
}

interface Span {
  /** From when to when. */
  readonly time: readonly [number, number];
  readonly busy: number;
}

/** Lets time pass. */
async function span(seconds: number, platform: PlatformUnderTest): Promise<Span> {
  const look = async () => {
    const { launcher } = await platform.usage();
    return { at: performance.timeOrigin + performance.now(), cpuMs: launcher.cpuMs };
  };
  const from = await look();
  await delay(seconds * 1000);
  const to = await look();
  return { time: [from.at, to.at], busy: Math.round((100 * (to.cpuMs - from.cpuMs)) / (to.at - from.at)) / 100 };
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN);
  return { p50: at(0.5), p95: at(0.95), n: sorted.length };
}
