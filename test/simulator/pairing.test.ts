import { describe, expect, test } from 'vitest';
import { until } from './client-under-test.ts';
import { useSimulator } from './test-bed.ts';

const bed = useSimulator();

describe('pairing by QR code', () => {
  test('a client pairs, restarts, logs in, writes to a contact and hears its answer', async () => {
    const contact = bed.simulator.addContact({ name: 'Echo', script: { reply: 'echo' } });
    const alice = await bed.client({ pushName: 'Alice' }).pair();
    expect(alice.closes).toEqual([515]);
    expect(alice.device).toBe(1);
    const sent = await alice.send(`${contact.phone}@s.whatsapp.net`, { text: 'hello' });
    const [read] = await bed.simulator.inbox(contact.phone, { waitMs: 5000 });
    expect(read).toMatchObject({ id: sent.key.id, type: 'text', text: 'hello', from: alice.jid, fromLid: alice.lid });
    const answer = await alice.message(({ key }) => key.fromMe === false);
    expect(answer.message?.conversation).toBe('hello');
    expect(answer.key.remoteJid).toBe(`${contact.phone}@s.whatsapp.net`);
    expect(answer.key.remoteJidAlt).toBe(`${contact.lid}@lid`);
    await until('the delivered receipt', () => alice.status(sent.key.id) >= 3);
  });

  test('the same push name links a second device of the same account, another one another account', async () => {
    const first = await bed.client({ pushName: 'Berta' }).pair();
    const second = await bed.client({ pushName: 'Berta' }).pair();
    const other = await bed.client({ pushName: 'Bert' }).pair();
    expect([first.device, second.device]).toEqual([1, 2]);
    expect(second.phone).toBe(first.phone);
    expect(other.phone).not.toBe(first.phone);
  });

  test('a linked client logs in again without a code, its keys still known', async () => {
    const carol = await bed.client({ pushName: 'Carol' }).pair();
    await carol.close();
    await carol.login();
    expect(carol.qrCodes).toHaveLength(1);
    expect(bed.simulator.accounts().find(({ phone }) => phone === carol.phone)?.preKeys[1]).toBeGreaterThan(700);
  });

  test('a phone gets the app-state key and the history to a new client', async () => {
    const dora = await bed.client({ pushName: 'Dora' }).pair();
    await until('the app-state key', () => dora.auth.creds.myAppStateKeyId);
    await until('the initial sync', () => dora.auth.creds.accountSyncCounter === 1);
  });

  test('codes nobody is waiting behind, and codes with foreign keys, are refused', async () => {
    const eve = bed.client({ pushName: 'Eve' });
    eve.connect();
    const qr = await until('a QR code', () => eve.qrCodes[0]);
    await expect(bed.simulator.scanQr('nonsense')).rejects.toThrow('no client is waiting');
    const foreign = qr.split(',').with(2, Buffer.alloc(32, 1).toString('base64')).join(',');
    await expect(bed.simulator.scanQr(foreign)).rejects.toThrow('not those of the client');
    expect(eve.opened).toBe(0);
  });

  test('the QR text can be scanned over http', async () => {
    const frank = bed.client({ pushName: 'Frank' });
    frank.connect();
    const qr = await until('a QR code', () => frank.qrCodes[0]);
    const url = `${bed.simulator.adminUrl}/mock-phone/scan-qr?phone=%2B49-15112345678`;
    const response = await fetch(url, { method: 'POST', body: qr });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ phone: '4915112345678', device: 1 });
    await until('the login', () => frank.opened > 0);
    expect((await fetch(url, { method: 'POST', body: qr })).status).toBe(422);
  });
});

describe('pairing by code', () => {
  test('a wrong code is refused, the right one links the client', async () => {
    const phone = '4915198765432';
    const gina = bed.client();
    gina.connect();
    await until('the connection', () => gina.qrCodes[0]);
    await gina.sock.requestPairingCode(phone);
    await expect(bed.simulator.enterCode(phone, 'AAAA-AAAA')).rejects.toThrow('the code is wrong');
    const code = await gina.sock.requestPairingCode(phone);
    expect(await bed.simulator.enterCode(phone, code)).toMatchObject({ phone, device: 1 });
    await until('the login', () => gina.opened > 0);
    expect(gina.phone).toBe(phone);
  });

  test('a number nobody asked a code for is refused', async () => {
    await expect(bed.simulator.enterCode('4915100000000', 'ABCDEFGH')).rejects.toThrow('no client is waiting');
  });
});

describe('the end of a link', () => {
  test('a device removed on the phone is logged out and cannot come back', async () => {
    const hanna = await bed.client({ pushName: 'Hanna' }).pair();
    bed.simulator.unlink(hanna.phone, hanna.device);
    await until('the logout', () => hanna.closes.includes(401));
    hanna.connect();
    await until('the refusal', () => hanna.closes.filter((code) => code === 401).length === 2);
  });

  test('a client that logs out is gone from the account', async () => {
    const ida = await bed.client({ pushName: 'Ida' }).pair();
    const { phone } = ida;
    await ida.sock.logout();
    const devices = () => bed.simulator.accounts().find((account) => account.phone === phone)?.devices;
    await until('the removal', () => devices()?.length === 1);
  });
});
