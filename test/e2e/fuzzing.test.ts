import { request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { arbitraryInput } from '#functions/api/test-support/arbitrary.ts';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import type { Operation } from '#shared/contracts/api/operation.ts';
import { PIXEL } from '#test/support/media-samples.ts';
import { type RunningPlatform, runPlatform } from '#test/support/running-platform.ts';

/** Of each operation. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 60);
const SESSION = 'main';
const ANSWER_DEADLINE_MS = 20_000;

let running: RunningPlatform;

// Without a host: what is accepted stays where it was put, so it can be counted.
beforeAll(async () => {
  const waits = { OWNER_WAIT_MS: '0', STATE_WAIT_MS: '0', COMMAND_WAIT_MS: '0' };
  running = await runPlatform({ hosts: 0, functionEnv: { ...waits, SESSION_BACKLOG_CAP: '100000' } });
  await running.api.post('/api/sessions', { name: SESSION });
});
afterAll(() => running?.stop());

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function send({ method, path, headers, body }: Sent): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      `${running.platform.url}${path}`,
      {
        method,
        headers: {
          'x-api-key': running.platform.apiKey,
          prefer: 'wait=0',
          ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.byteLength }),
          ...headers,
        },
        signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const GOOD_PATH: Readonly<Record<string, string>> = { session: SESSION, chatId: '491511234567@c.us', id: 'job_1' };
const PATH_VALUES = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.constantFrom('..', '%2e%2e%2f', '%00', '%ff', 'a%2Fb', "'; drop", '{}', 'x'.repeat(3_000), '\u{1F4A9}'),
      fc.string({ maxLength: 30, unit: 'binary' }),
    ),
  },
);

/** The path with its parameters: the good ones, or one that means harm in all places. */
function pathOf(operation: Operation, session: string, bad: string | undefined): string {
  const good: Readonly<Record<string, string>> = { ...GOOD_PATH, session };
  return operation.path.replace(/\{(\w+)\+?\}/g, (_all, name: string) =>
    bad === undefined ? (good[name] ?? 'x') : safelyEncoded(bad),
  );
}

/** What is no legal character of a request line cannot be sent at all. */
function safelyEncoded(text: string): string {
  return /^[\x21-\x7e]+$/.test(text)
    ? text.replace(/[?#]/g, encodeURIComponent)
    : encodeURIComponent(text.toWellFormed());
}

const HEADER_TEXT = fc.string({ maxLength: 40 }).map((text) => text.replace(/[^\x20-\x7e]/g, ''));

const HEADERS = fc.dictionary(
  fc.constantFrom(
    'prefer',
    'idempotency-key',
    'accept',
    'content-type',
    'accept-encoding',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-http-method-override',
    'range',
    'if-none-match',
    'transfer-encoding-x',
    'traceparent',
    'origin',
    'cookie',
    'authorization',
    'x-amz-date',
  ),
  fc.oneof(
    fc.constantFrom('', 'wait=0', 'wait=99999999999', '*/*', 'application/json;q=nan', 'bytes=9-1', "' or 1=1 --"),
    fc.constantFrom('text/plain; charset=utf-7', 'multipart/form-data', 'a'.repeat(4_000), '00-0-0-0', '\xff\xfe'),
    HEADER_TEXT,
  ),
  { maxKeys: 4 },
);

/** Fields whose right values no chance would find. */
const RIGHT: Readonly<Record<string, unknown>> = {
  session: SESSION,
  chatId: '491511234567@c.us',
  phone: '491511234567',
  phoneNumber: '491511234567',
  contactId: '491511234567@c.us',
  messageId: 'true_491511234567@c.us_3EB0AAAAAAAA',
  file: { mimetype: 'image/png', data: PIXEL },
};

/** With the fields that it has to have right, so that the others are looked at. */
function righted(input: unknown, right: boolean): unknown {
  if (!right || typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  return Object.fromEntries(Object.entries(input).map(([name, value]) => [name, name in RIGHT ? RIGHT[name] : value]));
}

/** What happens to a body on its way out. */
type Damage = 'none' | 'cut' | 'twice' | 'deep' | 'bytes' | 'wide' | 'large' | 'bom' | 'list';
const DAMAGES = fc.oneof(
  { weight: 14, arbitrary: fc.constant<Damage>('none') },
  { weight: 7, arbitrary: fc.constantFrom<Damage>('cut', 'twice', 'deep', 'bytes', 'bom', 'wide', 'list') },
  { weight: 1, arbitrary: fc.constant<Damage>('large') },
);

function damaged(body: unknown, damage: Damage): Uint8Array {
  const text = JSON.stringify(body) ?? 'null';
  const open = text.startsWith('{') && text !== '{}' ? text.slice(0, -1) : undefined;
  switch (damage) {
    case 'none':
      return Buffer.from(text);
    case 'cut':
      return Buffer.from(text.slice(0, Math.floor(text.length / 2)));
    case 'twice':
      return Buffer.from(open === undefined ? `${text}${text}` : `${open},${text.slice(1)}`);
    case 'deep':
      return Buffer.from(`${open ?? '{"a":1'},"deep":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
    case 'bytes': {
      const bytes = Buffer.from(`${text}  `);
      bytes.set([0xc3, 0x28], Math.max(0, Math.floor(bytes.length / 2) - 1));
      return bytes;
    }
    case 'bom':
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]);
    case 'wide':
      return Buffer.from(text, 'utf16le');
    case 'large':
      return Buffer.from(`${open ?? '{"a":1'},"large":"${'x'.repeat(7 * 1024 * 1024)}"}`);
    case 'list':
      return Buffer.from(`[${text}]`);
  }
}

/** Jobs that the answers have told of. */
const told = new Set<string>();

function remember({ status, text }: Answer): void {
  if (status >= 300) return;
  for (const [, id] of text.matchAll(/"(?:jobId|id)":"(job_[0-9A-Za-z_]+)"/g)) if (id !== undefined) told.add(id);
}

/** These take sessions away, so each of their requests has one of its own. */
const REMOVING: ReadonlySet<string> = new Set(['deleteSession', 'logoutAndDeleteSession']);
const removed = new Map<string, number>();
let spares = 0;

async function spareSession(): Promise<string> {
  spares += 1;
  const name = `spare-${spares}`;
  await running.api.post('/api/sessions', { name });
  return name;
}

/** A body that removes a session names that one, never the session that all other requests need. */
function naming(body: unknown, session: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const { name } = body as { readonly name?: unknown };
  return typeof name === 'string' ? { ...body, name: session } : body;
}

describe('whatever is sent', () => {
  it.each(OPERATIONS.map((operation) => [operation.id, operation] as const))(
    '%s answers with a success or a complaint, in time',
    async (_id, operation) => {
      const { body, query } = operation.request;
      const bodies = body === undefined ? fc.constant(undefined) : arbitraryInput(body);
      const queries = query === undefined ? fc.constant({}) : arbitraryInput(query);
      const inputs = fc
        .tuple(bodies, queries, fc.boolean())
        .map(([some, search, right]) => [righted(some, right), righted(search, right)] as const);
      await fc.assert(
        fc.asyncProperty(inputs, DAMAGES, PATH_VALUES, HEADERS, async ([some, query_], damage, bad, headers) => {
          const removes = REMOVING.has(operation.id);
          const session = removes ? await spareSession() : SESSION;
          const body_ = removes ? naming(some, session) : some;
          const search = new URLSearchParams();
          for (const [name, value] of Object.entries(query_ ?? {}))
            search.append(name, typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value));
          const sent = {
            method: operation.method,
            path: `${pathOf(operation, session, bad)}?${search}`,
            headers,
            body: body === undefined ? undefined : damaged(body_, damage),
          };
          const answer = await send(sent);
          const what = `${sent.method} ${sent.path} ${JSON.stringify(headers)} ${damage} ${JSON.stringify(body_)?.slice(0, 2_000)}`;
          expect(answer.status, `${what}: ${answer.text.slice(0, 500)}`).toBeLessThan(500);
          expect(answer.status, what).toBeGreaterThanOrEqual(200);
          expect(answer.text, what).not.toMatch(/\bat .+:\d+:\d+|node_modules|node:internal/);
          remember(answer);
          if (removes && answer.status < 300) removed.set(operation.id, (removed.get(operation.id) ?? 0) + 1);
        }),
        { numRuns: RUNS },
      );
    },
    120_000,
  );
});

const TEXTS = fc.oneof(
  fc.constantFrom('', '*', SESSION, 'nobody', 'message', 'message,message.ack', 'all', '../..', '%00', ',', ',,,,'),
  fc.constantFrom('evt_00000000000000000000000000', 'evt_0', 'true_1@c.us_AA', '{"$ne":null}', 'x'.repeat(2_000)),
  fc.string({ maxLength: 30, unit: 'binary' }).map((text) => text.toWellFormed()),
);
const PARAMETERS = fc.array(
  fc.tuple(fc.constantFrom('session', 'events', 'since', 'x-api-key', 'Session', 'session[]', '__proto__', ''), TEXTS),
  { maxLength: 6 },
);
const KEYS = fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: HEADER_TEXT });
/** What makes a request a handshake; each may be damaged. */
const HANDSHAKE = fc.record({
  upgrade: fc.constantFrom('websocket', 'websocket', 'websocket', 'WebSocket', 'h2c', ''),
  connection: fc.constantFrom('Upgrade', 'Upgrade', 'keep-alive, Upgrade'),
  'sec-websocket-version': fc.constantFrom('13', '13', '13', '8', 'x'),
  'sec-websocket-key': fc.constantFrom('dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ==', '', 'short'),
});

/** @returns the status of the answer; what was opened is cut at once */
async function shakeHands(path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_DEADLINE_MS);
    const outgoing = request(`${running.platform.url}${path}`, { headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      response.on('error', reject);
    });
    outgoing.on('upgrade', ({ statusCode }, socket) => {
      socket.destroy();
      resolve({ status: statusCode ?? 0, text: '' });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

describe('the handshake of the event stream', () => {
  it('answers with a stream or a complaint, in time', async () => {
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(PARAMETERS, HEADERS, HANDSHAKE, KEYS, async (parameters, more, handshake, otherKey) => {
        const key = otherKey ?? running.platform.apiKey;
        const path = `/ws?${new URLSearchParams(parameters)}`;
        const { status, text } = await shakeHands(path, { ...more, ...handshake, 'x-api-key': key });
        const what = `${path} ${JSON.stringify({ ...more, ...handshake })}`;
        expect(status, `${what}: ${text}`).toBeLessThan(500);
        expect(text, what).not.toMatch(/\bat .+:\d+:\d+|node_modules|node:internal/);
        statuses.add(status);
      }),
      { numRuns: RUNS * 5 },
    );
    expect([...statuses]).toEqual(expect.arrayContaining([101, 400, 401]));
  }, 120_000);
});

describe('after all of it', () => {
  it('sessions were removed in each way, and the one that all others need was not', async () => {
    expect([...removed.keys()].toSorted()).toEqual([...REMOVING].toSorted());
  });

  it('there is a job for each that was told of, and no other', async () => {
    const found: string[] = [];
    const ids = z.array(z.object({ id: z.string() }));
    const sessions = z.array(z.object({ name: z.string() })).parse(await running.api.get('/api/sessions?all=true'));
    for (const { name } of sessions) {
      for (let offset = 0, full = true; full; offset += 100) {
        const page = ids.parse(await running.api.get(`/api/${name}/jobs?limit=100&offset=${offset}`));
        found.push(...page.map(({ id }) => id));
        full = page.length === 100;
      }
    }
    expect(told.size).toBeGreaterThan(0);
    expect(found.toSorted()).toEqual([...told].toSorted());
  });

  it('it still serves', async () => {
    expect(await running.api.get('/ping')).toEqual({ message: 'pong' });
    expect(await running.api.get(`/api/sessions/${SESSION}`)).toMatchObject({ name: SESSION });
  });
});
