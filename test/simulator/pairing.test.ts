import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TestClient, until } from './client-under-test.ts';
import { type Simulator, startSimulator } from './simulator.ts';

let simulator: Simulator;
let clients: TestClient[] = [];

const client = (options: ConstructorParameters<typeof TestClient>[1] = {}): TestClient => {
  const made = new TestClient(simulator, options);
  clients.push(made);
  return made;
};

beforeAll(async () => {
  simulator = await startSimulator();
});

afterEach(async () => {
  await Promise.all(clients.map((each) => each.close()));
  clients = [];
});

afterAll(async () => {
  const { violations, unknownIqs, unknownStanzas } = simulator.stats();
  await simulator.close();
  expect({ violations, unknownIqs, unknownStanzas }).toEqual({ violations: [], unknownIqs: {}, unknownStanzas: {} });
});

describe('pairing by QR code', () => {
  test('a client pairs, restarts, logs in, writes to a contact and hears its answer', async () => {
    const contact = simulator.addContact({ name: 'Echo', script: { reply: 'echo' } });
    const alice = await client({ pushName: 'Alice' }).pair();
    expect(alice.closes).toEqual([515]);
    expect(alice.device).toBe(1);
    const sent = await alice.send(`${contact.phone}@s.whatsapp.net`, { text: 'hello' });
    const [read] = await simulator.inbox(contact.phone, { waitMs: 5000 });
    expect(read).toMatchObject({ id: sent.key.id, type: 'text', text: 'hello', from: alice.jid, fromLid: alice.lid });
    const answer = await alice.message((message) => !message.key.fromMe);
    expect(answer.message?.conversation).toBe('hello');
    expect(answer.key.remoteJid).toBe(`${contact.phone}@s.whatsapp.net`);
    await until('the delivered receipt', () => alice.updates.some(({ key, update }) => key.id === sent.key.id && update.status === 3));
  });
});
