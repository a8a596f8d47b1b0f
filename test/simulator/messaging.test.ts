import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { until } from './client-under-test.ts';
import { useSimulator } from './test-bed.ts';

const bed = useSimulator();

const address = (phone: string): string => `${phone}@s.whatsapp.net`;

describe('between two clients', () => {
  test('texts go both ways, with push names, identities and receipts', async () => {
    const [alice, bob] = await Promise.all([
      bed.client({ pushName: 'Alice A' }).pair(),
      bed.client({ pushName: 'Bob B' }).pair(),
    ]);
    const sent = await alice.send(bob.jid, { text: 'hello Bob' });
    const arrived = await bob.text('hello Bob');
    expect(arrived).toMatchObject({ pushName: 'Alice A', key: { remoteJid: alice.jid, remoteJidAlt: alice.lid } });
    await bob.send(alice.jid, { text: 'hello Alice' });
    await alice.text('hello Alice');
    await bob.sock.readMessages([arrived.key]);
    await until('the read receipt', () => alice.status(sent.key.id) >= 4);
  });

  test('a chat addressed by LID arrives under the LID', async () => {
    const alice = await bed.client({ pushName: 'Alice L' }).pair();
    const bob = await bed.client({ pushName: 'Bob L' }).pair();
    await alice.send(bob.lid, { text: 'by lid' });
    const arrived = await bob.text('by lid');
    expect(arrived.key).toMatchObject({ remoteJid: alice.lid, remoteJidAlt: alice.jid, addressingMode: 'lid' });
  });

  test('the second device of an account sees what the first one sends, and a new one is written to at once', async () => {
    const alice = await bed.client({ pushName: 'Alice D' }).pair();
    const bob = await bed.client({ pushName: 'Bob D' }).pair();
    await alice.send(bob.jid, { text: 'before' });
    await bob.text('before');
    const second = await bed.client({ pushName: 'Alice D' }).pair();
    const bobSecond = await bed.client({ pushName: 'Bob D' }).pair();
    await alice.send(bob.jid, { text: 'after' });
    await bobSecond.text('after');
    const copy = await second.text('after');
    expect(copy.key).toMatchObject({ fromMe: true, remoteJid: bob.jid });
  });

  test('messages for a client that is away wait, in order, and come as offline ones', async () => {
    const alice = await bed.client({ pushName: 'Alice O' }).pair();
    const bob = await bed.client({ pushName: 'Bob O' }).pair();
    await alice.send(bob.jid, { text: 'online' });
    await bob.text('online');
    await bob.close();
    for (const text of ['one', 'two', 'three']) await alice.send(bob.jid, { text });
    await bob.login();
    await bob.text('three');
    const texts = bob.messages.map(({ message }) => message?.extendedTextMessage?.text).filter(Boolean);
    expect(texts).toEqual(['online', 'one', 'two', 'three']);
    const upserts = bob.seen.get('messages.upsert') as { type: string }[];
    expect(upserts.at(-1)?.type).toBe('append');
    const pending = () => bed.simulator.accounts().find(({ phone }) => phone === bob.phone)?.devices[1]?.pending;
    await until('the queue to be empty', () => pending() === 0);
  });

  test('a client that has lost its session asks again and gets the message from getMessage', async () => {
    const alice = await bed.client({ pushName: 'Alice R' }).pair();
    const bob = await bed.client({ pushName: 'Bob R' }).pair();
    await alice.send(bob.jid, { text: 'first' });
    await bob.text('first');
    await bob.send(alice.jid, { text: 'answer' });
    await alice.text('answer');
    expect(bob.auth.drop('session')).toBeGreaterThan(0);
    await alice.send(bob.jid, { text: 'lost and found' });
    await bob.text('lost and found');
    expect(bed.simulator.stats().retries).toBeGreaterThan(0);
  });

  test('presence and typing are seen by those who subscribed', async () => {
    const alice = await bed.client({ pushName: 'Alice P' }).pair();
    const bob = await bed.client({ pushName: 'Bob P' }).pair();
    await until('the push name', () => bob.auth.creds.me?.name);
    await alice.sock.presenceSubscribe(bob.jid);
    const seen = () => JSON.stringify(alice.seen.get('presence.update') ?? []);
    // Baileys shows itself as available once on its own, at some point after its first sync.
    await until('Bob to be away', async () => {
      await bob.sock.sendPresenceUpdate('unavailable');
      return seen().includes('"unavailable"');
    });
    await bob.sock.sendPresenceUpdate('available');
    await bob.sock.sendPresenceUpdate('composing', alice.jid);
    await until('typing', () => seen().includes('composing'));
  });
});

describe('with simulated contacts', () => {
  test('a contact sends texts, quotes, reactions, edits, deletions and places', async () => {
    const contact = bed.simulator.addContact({ name: 'Clara' });
    const alice = await bed.client({ pushName: 'Alice C' }).pair();
    const sent = await alice.send(address(contact.phone), { text: 'question' });
    await bed.simulator.inbox(contact.phone, { waitMs: 5000 });
    const quotedId = sent.key.id ?? '';
    const { id } = await bed.simulator.send(contact.phone, { to: alice.phone, text: 'anwser', quoted: quotedId });
    const answer = await alice.text('anwser');
    expect(answer.pushName).toBe('Clara');
    expect(answer.message?.extendedTextMessage?.contextInfo?.stanzaId).toBe(quotedId);
    await bed.simulator.send(contact.phone, { to: alice.phone, edit: { id, text: 'answer' } });
    const edited = () => alice.updates.find(({ key }) => key.id === id)?.update.message?.editedMessage;
    expect((await until('the edit', edited)).message?.conversation).toBe('answer');
    await bed.simulator.send(contact.phone, { to: alice.phone, reaction: { id: quotedId, text: '👍' } });
    const reactions = () => JSON.stringify(alice.seen.get('messages.reaction') ?? []);
    await until('the reaction', () => reactions().includes(quotedId));
    const place = { latitude: 52.5, longitude: 13.4, name: 'Berlin' };
    await bed.simulator.send(contact.phone, { to: alice.phone, location: place });
    await alice.message(({ message }) => message?.locationMessage?.name === 'Berlin');
    for (const kind of ['video', 'audio', 'voice', 'document', 'sticker'] as const) {
      const data = Buffer.from(kind).toString('base64');
      await bed.simulator.send(contact.phone, { to: alice.phone, media: { kind, data, mimetype: 'test/kind' } });
      const part = kind === 'voice' ? 'audioMessage' : (`${kind}Message` as const);
      await alice.message(({ message }) => message?.[part]?.mimetype === 'test/kind');
    }
    const raw = { contactMessage: { displayName: 'Klara', vcard: 'BEGIN:VCARD' } };
    await bed.simulator.send(contact.phone, { to: alice.phone, raw });
    await alice.message(({ message }) => message?.contactMessage?.displayName === 'Klara');
    await bed.simulator.send(contact.phone, { to: alice.phone, revoke: id });
    await until('the deletion', () =>
      alice.updates.some(({ key, update }) => key.id === id && update.messageStubType === 1),
    );
  });

  test('a contact decrypts replies, reactions, edits, deletions and polls', async () => {
    const contact = bed.simulator.addContact({ name: 'Dieter' });
    const to = address(contact.phone);
    const alice = await bed.client({ pushName: 'Alice X' }).pair();
    const { id } = await bed.simulator.send(contact.phone, { to: alice.phone, text: 'start' });
    const start = await alice.text('start');
    const reply = await alice.send(to, { text: 'reply', mentions: [to] }).then((message) => message.key);
    await alice.send(to, { text: 'quoting' });
    await alice.sock.sendMessage(to, { text: 'quoted' }, { quoted: start });
    await alice.send(to, { react: { text: '❤️', key: start.key } });
    await alice.send(to, { text: 'better', edit: reply });
    await alice.send(to, { delete: reply });
    await alice.send(to, { poll: { name: 'tea?', values: ['yes', 'no'] } });
    await alice.send(to, { location: { degreesLatitude: 1, degreesLongitude: 2, name: 'Null Island' } });
    const read = await until('eight messages', async () => {
      const all = await bed.simulator.inbox(contact.phone);
      return all.length >= 8 && all;
    });
    expect(read.map(({ type }) => type)).toEqual([
      'text',
      'text',
      'text',
      'reaction',
      'edit',
      'revoke',
      'poll',
      'location',
    ]);
    expect(read[0]).toMatchObject({ text: 'reply', mentions: [to] });
    expect(read[2]).toMatchObject({ quotedId: id });
    expect(read[3]).toMatchObject({ text: '❤️', targetId: id });
    expect(read[4]).toMatchObject({ text: 'better', targetId: reply.id });
  });

  test('read receipts, typing and replies come as the script says', async () => {
    const script = { reply: { text: 'away' }, readReceipts: true, typing: true };
    const contact = bed.simulator.addContact({ name: 'Emil', script });
    const alice = await bed.client({ pushName: 'Alice S' }).pair();
    await alice.sock.presenceSubscribe(address(contact.phone));
    const sent = await alice.send(address(contact.phone), { text: 'there?' });
    await alice.text('away');
    await until('the read receipt', () => alice.status(sent.key.id) >= 4);
    expect(JSON.stringify(alice.seen.get('presence.update') ?? [])).toContain('composing');
  });

  test("a contact hears of the client's reading and typing", async () => {
    const contact = bed.simulator.addContact({ name: 'Fritz' });
    const alice = await bed.client({ pushName: 'Alice T' }).pair();
    const { id } = await bed.simulator.send(contact.phone, { to: alice.phone, text: 'read me' });
    const message = await alice.text('read me');
    await alice.sock.readMessages([message.key]);
    await alice.sock.sendPresenceUpdate('recording', address(contact.phone));
    const events = await until('both', async () => {
      const all = await bed.simulator.events(contact.phone);
      return all.some(({ state }) => state === 'read') && all.some(({ kind }) => kind === 'typing') && all;
    });
    expect(events.find(({ state }) => state === 'read')?.ids).toEqual([id]);
    expect(events.find(({ kind }) => kind === 'typing')?.state).toBe('recording');
  });

  test('a contact that has lost its sessions gets the message again', async () => {
    const contact = bed.simulator.addContact({ name: 'Gustav', script: { reply: 'echo' } });
    const alice = await bed.client({ pushName: 'Alice F' }).pair();
    await alice.send(address(contact.phone), { text: 'one' });
    await alice.message(({ key }) => key.fromMe === false);
    bed.simulator.forgetSessions(contact.phone);
    await alice.send(address(contact.phone), { text: 'two' });
    const read = await until('the second text', async () => (await bed.simulator.inbox(contact.phone))[1]);
    expect(read.text).toBe('two');
  });

  test('a message that comes twice was proven when a receipt was there before the login that sent it', async () => {
    const contact = bed.simulator.addContact({ name: 'Twice' });
    const client = await bed.client().pair();
    const send = () =>
      client.sock.sendMessage(address(contact.phone), { text: 'once' }, { messageId: '3EB0AAAAAAAAAAAAAAAAAA' });
    const repeats = async () =>
      (await bed.simulator.clientLog()).flatMap((entry) =>
        entry.kind === 'repeat' && entry.phone === contact.phone ? [entry.proven] : [],
      );
    await send();
    await until('the receipt', () => client.status('3EB0AAAAAAAAAAAAAAAAAA') >= 3);
    await send();
    await until('the first repeat', async () => (await repeats()).length === 1);
    await client.close();
    await client.login();
    await send();
    await until('the second repeat', async () => (await repeats()).length === 2);
    expect(await repeats()).toEqual([false, true]);
  });

  test('a contact that decrypts nothing still gives receipts', async () => {
    const contact = bed.simulator.addContact({ name: 'Heinz', script: { decrypt: 'none' } });
    const alice = await bed.client({ pushName: 'Alice N' }).pair();
    const sent = await alice.send(address(contact.phone), { text: 'opaque' });
    await until('the delivered receipt', () => alice.status(sent.key.id) >= 3);
    expect(await bed.simulator.inbox(contact.phone)).toEqual([]);
  });
});

test("what the account's own phone sends and receives is seen by its client", async () => {
  const contact = bed.simulator.addContact({ name: 'Jutta' });
  const alice = await bed.client({ pushName: 'Alice Y' }).pair();
  await bed.simulator.send(alice.phone, { to: contact.phone, text: 'from the phone' });
  const copy = await alice.text('from the phone');
  expect(copy.key).toMatchObject({ fromMe: true, remoteJid: address(contact.phone) });
  await alice.send(address(contact.phone), { text: 'from the client' });
  const atPhone = () => bed.simulator.inbox(alice.phone).then((all) => all[0]);
  expect(await until('the copy on the phone', atPhone)).toMatchObject({
    text: 'from the client',
    fromMe: true,
    chat: address(contact.phone),
  });
});

describe('account settings', () => {
  test('numbers, about texts, blocking and pictures are known to the server', async () => {
    const contact = bed.simulator.addContact({ name: 'Inge' });
    const alice = await bed.client({ pushName: 'Alice Q' }).pair();
    const known = await alice.sock.onWhatsApp(contact.phone, '4999999999999');
    expect(known).toEqual([{ jid: address(contact.phone), exists: true }]);
    await alice.sock.updateProfileStatus('at work');
    const status = await alice.sock.fetchStatus(alice.jid);
    expect(JSON.stringify(status)).toContain('at work');
    await alice.sock.updateBlockStatus(address(contact.phone), 'block');
    expect(await alice.sock.fetchBlocklist()).toEqual([address(contact.phone)]);
    await expect(bed.simulator.send(contact.phone, { to: alice.phone, text: 'hey' })).resolves.toBeDefined();
    await alice.sock.updateBlockStatus(address(contact.phone), 'unblock');
    await bed.simulator.send(contact.phone, { to: alice.phone, text: 'unblocked' });
    await alice.text('unblocked');
    expect(alice.messages.some(({ message }) => message?.conversation === 'hey')).toBe(false);
    await expect(alice.sock.profilePictureUrl(address(contact.phone))).rejects.toThrow('item-not-found');
    const image = await sharp({ create: { width: 700, height: 700, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    await alice.sock.updateProfilePicture(alice.jid, image);
    expect(await alice.sock.profilePictureUrl(alice.jid)).toContain(`127.0.0.1:${bed.simulator.port}/v/`);
    await alice.sock.removeProfilePicture(alice.jid);
    await expect(alice.sock.profilePictureUrl(alice.jid)).rejects.toThrow('item-not-found');
  });

  test('a change of a chat is kept by the server and reaches the other device', async () => {
    const alice = await bed.client({ pushName: 'Alice M' }).pair();
    const second = await bed.client({ pushName: 'Alice M' }).pair();
    await until('the app-state keys', () => alice.auth.creds.myAppStateKeyId && second.auth.creds.myAppStateKeyId);
    await until('the initial sync', () => alice.auth.creds.accountSyncCounter && second.auth.creds.accountSyncCounter);
    await alice.sock.chatModify({ mute: 8 * 60 * 60 * 1000 }, '4915100000001@s.whatsapp.net');
    const seen = () => JSON.stringify(second.seen.get('chats.update') ?? []);
    await until('the muted chat', () => seen().includes('muteEndTime'));
  });
});
