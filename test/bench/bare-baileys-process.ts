import makeWASocket, { type WASocket } from '@whiskeysockets/baileys';
import * as z from 'zod';
import { MemoryAuth } from '../simulator/client-under-test.ts';
import { silenceLibsignal } from '../simulator/quiet-libsignal.ts';
import { type BareRequest, requestSchema } from './bare-baileys-messages.ts';

/** Baileys and nothing else: sockets with their keys in memory, told what to do over IPC. */
const options = z.object({ wsUrl: z.string(), adminUrl: z.string() }).parse(JSON.parse(process.argv[2] ?? '{}'));
const RESTART_REQUIRED = 515;
const quiet = { level: 'silent', child: () => quiet, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

interface Client {
  readonly phone: string;
  sock: WASocket;
}

const clients: Client[] = [];
let received: Record<string, number> = {};
let onReceived = () => {};

async function pair(phone: string): Promise<Client> {
  const auth = new MemoryAuth();
  const opened = Promise.withResolvers<void>();
  const connect = (): WASocket => {
    const sock = makeWASocket({ auth, waWebSocketUrl: options.wsUrl, logger: quiet });
    sock.ev.process((events) => {
      if (events['creds.update']) Object.assign(auth.creds, events['creds.update']);
      for (const { key } of events['messages.upsert']?.messages ?? []) if (key.id && !key.fromMe) take(key.id);
      const update = events['connection.update'];
      if (update?.qr) void scan(update.qr, phone).catch(opened.reject);
      if (update?.connection === 'open') opened.resolve();
      if (update?.connection === 'close') {
        const reason = z
          .object({ output: z.object({ statusCode: z.number() }) })
          .safeParse(update.lastDisconnect?.error);
        if (reason.data?.output.statusCode === RESTART_REQUIRED) client.sock = connect();
        else opened.reject(new Error('A bare socket was closed.'));
      }
    });
    return sock;
  };
  const client: Client = { phone, sock: connect() };
  await opened.promise;
  return client;
}

async function scan(qr: string, phone: string): Promise<void> {
  const response = await fetch(`${options.adminUrl}/admin/mock-phone/scan-qr?phone=${phone}`, {
    method: 'POST',
    body: qr,
  });
  if (!response.ok) throw new Error(`The simulator did not scan: ${await response.text()}`);
}

async function send(contacts: readonly string[], messages: number, concurrency: number): Promise<object> {
  const startedAt = Date.now();
  const share = messages / concurrency;
  const client = async (number: number) => {
    const { sock } = clients[number % clients.length] ?? {};
    const phone = contacts[number % clients.length];
    for (let index = 0; index < share; index += 1) {
      await sock?.sendMessage(`${phone}@s.whatsapp.net`, { text: `bare ${number}/${index}` });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, number) => client(number)));
  return { startedAt, returnedAt: Date.now() };
}

function take(id: string): void {
  received[id] = Date.now();
  onReceived();
}

function receive(messages: number): Promise<object> {
  return new Promise((resolve) => {
    onReceived = () => {
      if (Object.keys(received).length < messages) return;
      onReceived = () => {};
      resolve({ receivedAt: received });
      received = {};
    };
    onReceived();
  });
}

async function answer(request: BareRequest): Promise<object> {
  switch (request.do) {
    case 'pair':
      while (clients.length < request.sockets) {
        clients.push(await pair(`4916${String(clients.length + 1).padStart(9, '0')}`));
      }
      return { phones: clients.map(({ phone }) => phone) };
    case 'send':
      return send(request.contacts, request.messages, request.concurrency);
    case 'receive':
      return receive(request.messages);
  }
}

silenceLibsignal();
process.on('message', (message) => {
  void answer(requestSchema.parse(message)).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
