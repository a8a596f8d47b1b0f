import makeWASocket, { initAuthCreds } from '@whiskeysockets/baileys';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BinaryNode, node } from './binary-node.ts';
import { SERVER_JID } from './jid.ts';
import { acceptConnection, type WireConnection } from './server-connection.ts';
import { createServerIdentity } from './server-identity.ts';
import { listenForClients } from './test-listener.ts';

function connectBaileys(waWebSocketUrl: string, routingInfo?: Buffer) {
  const creds = { ...initAuthCreds(), ...(routingInfo && { routingInfo }) };
  const socket = makeWASocket({
    waWebSocketUrl,
    auth: { creds, keys: { get: async () => ({}), set: async () => {} } },
    logger: pino({ level: 'silent' }),
  });
  onTestFinished(() => socket.end(undefined));
  const qr = new Promise<string>((resolve) => {
    socket.ev.on('connection.update', (update) => {
      if (update.qr) resolve(update.qr);
    });
  });
  return { creds, qr };
}

describe('an unmodified Baileys socket', () => {
  it('shakes hands, registers and shows the QR code we send', async () => {
    const accepted = Promise.withResolvers<WireConnection>();
    const listener = await listenForClients((socket) => {
      accepted.resolve(acceptConnection(socket, createServerIdentity()));
    });
    onTestFinished(() => listener.close());
    const { creds, qr } = connectBaileys(listener.url, Buffer.from('edge'));

    const connection = await accepted.promise;
    expect(connection.clientStaticKey).toStrictEqual(Buffer.from(creds.noiseKey.public));
    expect(connection.routingInfo).toStrictEqual(Buffer.from('edge'));
    const registration = connection.clientPayload.devicePairingData;
    expect(Buffer.from(registration?.eIdent ?? [])).toStrictEqual(Buffer.from(creds.signedIdentityKey.public));

    const answer = new Promise<BinaryNode>((resolve) => connection.onNode(resolve));
    const refs = ['2@one', '2@two'].map((ref) => node('ref', {}, Buffer.from(ref)));
    connection.send(
      node('iq', { from: SERVER_JID, type: 'set', id: '1', xmlns: 'md' }, [node('pair-device', {}, refs)]),
    );
    expect(await answer).toStrictEqual(node('iq', { to: SERVER_JID, type: 'result', id: '1' }));
    const [ref, noiseKey] = (await qr).replace(/^.*#/, '').split(',');
    expect(ref).toBe('2@one');
    expect(noiseKey).toBe(connection.clientStaticKey.toString('base64'));
  });
});
