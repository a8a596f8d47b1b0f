import { describe, expect, test } from 'vitest';
import { TestClient, until } from './client-under-test.ts';
import { useSimulator } from './test-bed.ts';

const bed = useSimulator();

describe('the end of a connection', () => {
  test('a second login of the same device evicts the first with 440', async () => {
    const first = await bed.client({ pushName: 'Twice' }).pair();
    const second = new TestClient(bed.simulator, { auth: first.auth });
    await second.login();
    await until('the eviction', () => first.closes.includes(440));
    await second.close();
  });

  test.each([503, 515])('a stream error %i reaches the client', async (code) => {
    const client = await bed.client({ pushName: `Stream ${code}` }).pair();
    client.restarts = false;
    const before = client.closes.length;
    bed.simulator.addFault({ kind: 'stream-error', match: { phone: client.phone }, code });
    await until('the stream error', () => client.closes[before] === code);
  });

  test('a cut connection is noticed and the client can come back', async () => {
    const client = await bed.client({ pushName: 'Cut' }).pair();
    bed.simulator.addFault({ kind: 'cut', match: { phone: client.phone } });
    await until('the cut', () => client.closes.includes(428));
    await client.login();
  });

  test.each([401, 403, 503])('a login can be refused with %i', async (code) => {
    const client = await bed.client({ pushName: `Refused ${code}` }).pair();
    await client.close();
    bed.simulator.addFault({ kind: 'refuse-login', match: { phone: client.phone }, code, count: 1 });
    const before = client.closes.length;
    client.connect();
    await until('the refusal', () => client.closes[before] === code);
  });

  test('a client whose pings are not answered gives up by itself', async () => {
    const client = await bed.client({ pushName: 'Mute', config: { keepAliveIntervalMs: 50 } }).pair();
    bed.simulator.addFault({ kind: 'mute-pings', match: { phone: client.phone } });
    await until('the timeout', () => client.closes.includes(408));
  });
});

describe('deliveries', () => {
  const chat = async (name: string) => {
    const contact = bed.simulator.addContact({ name });
    const client = await bed.client({ pushName: `${name} client` }).pair();
    await bed.simulator.send(contact.phone, { to: client.phone, text: 'hello' });
    await client.text('hello');
    return { contact, client, match: { phone: client.phone, tag: 'message' } };
  };
  const count = (client: TestClient, text: string): number =>
    client.messages.filter(({ message }) => message?.conversation === text).length;

  test('a nacked message fails at its sender and reaches nobody', async () => {
    const { contact, client } = await chat('Nacked');
    bed.simulator.addFault({ kind: 'nack', match: { phone: client.phone }, code: 463, count: 1 });
    const refused = await client.send(`${contact.phone}@s.whatsapp.net`, { text: 'refused' });
    await until('the nack', () => client.failed(refused.key.id));
    await client.send(`${contact.phone}@s.whatsapp.net`, { text: 'accepted' });
    const [read] = await bed.simulator.inbox(contact.phone, { waitMs: 5000 });
    expect(read?.text).toBe('accepted');
  });

  test('a dropped message never comes, the next one does', async () => {
    const { contact, client, match } = await chat('Dropped');
    bed.simulator.addFault({ kind: 'drop', match, count: 1 });
    await bed.simulator.send(contact.phone, { to: client.phone, text: 'lost' });
    await bed.simulator.send(contact.phone, { to: client.phone, text: 'kept' });
    await client.text('kept');
    expect(count(client, 'lost')).toBe(0);
  });

  test('a delayed message is overtaken', async () => {
    const { contact, client, match } = await chat('Delayed');
    bed.simulator.addFault({ kind: 'delay', match, count: 1, ms: 300 });
    await bed.simulator.send(contact.phone, { to: client.phone, text: 'slow' });
    await bed.simulator.send(contact.phone, { to: client.phone, text: 'fast' });
    await client.text('slow');
    const texts = client.messages.map(({ message }) => message?.conversation).filter(Boolean);
    expect(texts).toEqual(['hello', 'fast', 'slow']);
  });

  test('a connection cut in the middle of a delivery loses nothing', async () => {
    const { contact, client, match } = await chat('Torn');
    bed.simulator.addFault({ kind: 'cut', match, count: 1 });
    await bed.simulator.send(contact.phone, { to: client.phone, text: 'torn' });
    await until('the cut', () => client.closes.includes(428));
    await client.login();
    await client.text('torn');
  });

  test('a duplicated message comes twice on the wire', async () => {
    const { contact, client, match } = await chat('Doubled');
    bed.simulator.addFault({ kind: 'duplicate', match, count: 1 });
    await bed.simulator.send(contact.phone, { to: client.phone, text: 'double' });
    await client.text('double');
    await until('the second one refused by the client', () => bed.simulator.stats().nacks > 0);
    expect(count(client, 'double')).toBe(1);
  });
});
