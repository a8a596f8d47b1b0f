import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { downloadMediaMessage } from '@whiskeysockets/baileys';
import { TestClient } from './client-under-test.ts';

// Run as a process of its own, because a CA can be added to Node's only at its start (NODE_EXTRA_CA_CERTS).
// Arguments: the wss URL, the admin URL, a contact's number, an image file. Prints what it received as JSON.
const [wsUrl = '', adminUrl = '', contact = '', imageFile = ''] = process.argv.slice(2);

const post = (path: string, body: string): Promise<Response> => fetch(`${adminUrl}${path}`, { method: 'POST', body });
const caPem = await readFile(process.env.NODE_EXTRA_CA_CERTS ?? '', 'utf8');
const scanQr = (text: string): Promise<unknown> => post('/mock-phone/scan-qr', text);

const client = await new TestClient({ wsUrl, caPem, scanQr }, { pushName: 'Media' }).pair();
const image = await readFile(imageFile);
const sent = await client.send(`${contact}@s.whatsapp.net`, { image, caption: 'to the contact' });
const request = { to: client.phone, image: { data: image.toString('base64'), mimetype: 'image/png', caption: 'back' } };
await post(`/contacts/${contact}/send`, JSON.stringify(request));
const received = await client.message(({ message }) => message?.imageMessage?.caption === 'back');
const body = await downloadMediaMessage(received, 'buffer', {});
await post('/faults', JSON.stringify({ kind: 'drop-media', code: 410, count: 1 }));
const dropped = await downloadMediaMessage(received, 'buffer', {}).then(() => 'there', String);
const again = await downloadMediaMessage(await client.sock.updateMediaMessage(received), 'buffer', {});
const [sha256, sha256Again] = [body, again].map((file) => createHash('sha256').update(file).digest('hex'));
process.stdout.write(`${JSON.stringify({ phone: client.phone, sentId: sent.key.id, sha256, dropped, sha256Again })}\n`);
await client.close();
process.exit(0);
