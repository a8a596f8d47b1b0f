import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createHostNames, type HostNamesOptions, isNoSuchName } from './host-names.ts';

/** By family: an address, or that there is never an answer. */
type Records = { readonly [family in 4 | 6]?: readonly number[] | 'silent' };

const NO_RECORD = 0;
const NO_SUCH_NAME = 3;
const REFUSED = 5;
const TYPES: Readonly<Record<number, 4 | 6>> = { 1: 4, 28: 6 };
const V4 = [192, 0, 2, 7];
const V6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];

/** By name; of others it never says anything. */
const known: Readonly<Record<string, Records | number>> = {
  'both.test': { 4: V4, 6: V6 },
  'old.test': { 4: V4 },
  'new.test': { 6: V6 },
  'none.test': {},
  'unknown.test': NO_SUCH_NAME,
  'half.test': { 4: V4, 6: 'silent' },
  'empty-half.test': { 6: 'silent' },
  'refused.test': REFUSED,
};

let server: Socket;
let address: string;
let asked: Set<string>;

beforeEach(async () => {
  asked = new Set();
  server = createSocket('udp4', (query, { port, address }) => {
    const { name, type } = questionOf(query);
    asked.add(name);
    const answer = answerTo(query, name, TYPES[type] ?? 4);
    if (answer !== undefined) server.send(answer, port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  address = `127.0.0.1:${server.address().port}`;
});
afterEach(async () => {
  server.close();
  await once(server, 'close');
});

function questionOf(query: Buffer): { readonly name: string; readonly type: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1) };
}

function answerTo(query: Buffer, name: string, family: 4 | 6): Buffer | undefined {
  const found = known[name];
  const data = typeof found === 'object' ? found[family] : undefined;
  if (found === undefined || data === 'silent') return undefined;
  const question = query.subarray(12, 12 + name.length + 2 + 4);
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180 | (typeof found === 'number' ? found : NO_RECORD), 2);
  header.writeUInt16BE(data === undefined ? 0 : 1, 6);
  header.writeUInt32BE(0, 8);
  if (data === undefined) return Buffer.concat([header, question]);
  const record = [0xc0, 0x0c, 0, family === 4 ? 1 : 28, 0, 1, 0, 0, 0, 0, 0, data.length, ...data];
  return Buffer.concat([header, question, Buffer.from(record)]);
}

const names = (options: HostNamesOptions = {}) => createHostNames({ servers: [address], ...options });
const never = new AbortController().signal;
const PATIENCE = { timeout: 5_000 };
const old = { address: '192.0.2.7', family: 4 };
const young = { address: '2001:db8::7', family: 6 };

it.each([
  ['both.test', [old, young]],
  ['both.test.', [old, young]],
  ['old.test', [old]],
  ['new.test', [young]],
])('gives the addresses of both kinds: %s', async (name, addresses) => {
  expect(await names()(name, never)).toEqual(addresses);
});

it.each(['none.test', 'unknown.test', `${'x'.repeat(64)}.test`])('says that nobody is %s', async (name) => {
  const error = await names()(name, never).catch((reason: unknown) => reason);
  expect(isNoSuchName(error)).toBe(true);
});

it('does not say so of a name that cannot be resolved now', async () => {
  for (const name of ['refused.test', 'silent.test', 'empty-half.test']) {
    const error = await names({ timeoutMs: 50 })(name, never).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(isNoSuchName(error), name).toBe(false);
    if (name !== 'refused.test') expect(error).toMatchObject({ code: 'ECANCELLED' });
  }
});

it('gives what it knows when only half is answered in time', async () => {
  expect(await names({ timeoutMs: 1_000 })('half.test', never)).toEqual([old]);
});

it('ends with its signal, also in the queue', { timeout: 5_000 }, async () => {
  const resolve = names({ atOnce: 1, timeoutMs: 60_000 });
  const [first, second] = [new AbortController(), new AbortController()];
  const running = resolve('a.silent.test', first.signal);
  const waiting = resolve('b.silent.test', second.signal);
  const next = resolve('old.test', never);
  await vi.waitFor(() => expect([...asked]).toEqual(['a.silent.test']), PATIENCE);
  second.abort(new Error('not any more'));
  first.abort(new Error('too late'));
  await expect(running).rejects.toThrow('too late');
  await expect(waiting).rejects.toThrow('not any more');
  expect(await next).toEqual([old]);
  expect([...asked]).toEqual(['a.silent.test', 'old.test']);
});

it('asks for so many at once', async () => {
  const resolve = names({ atOnce: 2 });
  const over = new AbortController();
  const all = ['a', 'b', 'c'].map((name) => resolve(`${name}.silent.test`, over.signal).catch(() => {}));
  await vi.waitFor(() => expect(asked.size).toBe(2), PATIENCE);
  const before = new Set(asked);
  over.abort();
  await Promise.all(all);
  expect(before).toEqual(new Set(['a.silent.test', 'b.silent.test']));
});

it('names whose servers are silent keep nobody else from the system’s resolver', async () => {
  const over = new AbortController();
  let pending = 50;
  const ends = () => (pending -= 1);
  const all = Array.from({ length: 50 }, (_, n) => names()(`${n}.silent.test`, over.signal).then(ends, ends));
  await vi.waitFor(() => expect(asked.size).toBe(50), PATIENCE);
  await lookup('localhost');
  expect(pending).toBe(50);
  over.abort();
  await Promise.all(all);
});

it('leaves names of the operator to the system, as on a laptop', async () => {
  const addresses = await names({ ofOperator: new Set(['localhost']) })('localhost', never);
  expect(addresses.map(({ address }) => address)).toContain('127.0.0.1');
  expect(asked.size).toBe(0);
});
