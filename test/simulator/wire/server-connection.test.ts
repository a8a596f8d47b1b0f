import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WebSocket } from 'ws';
import { type BinaryNode, node } from './binary-node.ts';
import { encodeNode } from './codec.ts';
import { SERVER_JID } from './jid.ts';
import { greetServer, type NoiseClientOptions } from './noise-client.ts';
import { acceptConnection, type WireConnection } from './server-connection.ts';
import { createServerIdentity } from './server-identity.ts';
import { listenForClients } from './test-listener.ts';
import { WireError } from './wire-error.ts';

const identity = createServerIdentity();

async function dial(handshakeTimeoutMs?: number) {
  const accepted = Promise.withResolvers<WireConnection>();
  accepted.promise.catch(() => {});
  const listener = await listenForClients((socket) =>
    accepted.resolve(acceptConnection(socket, identity, handshakeTimeoutMs)),
  );
  onTestFinished(() => listener.close());
  return { socket: await listener.connect(), accepted: accepted.promise };
}

async function connected(options: NoiseClientOptions = {}) {
  const { socket, accepted } = await dial();
  const client = await greetServer(socket, options);
  (options.write ?? ((bytes) => socket.send(bytes)))(client.clientFinish);
  return { socket, client, connection: await accepted };
}

function ping(id: number): BinaryNode {
  return node('iq', { to: SERVER_JID, id: `p.${id}`, type: 'get' }, [node('ping')]);
}

async function received(connection: WireConnection, count: number): Promise<BinaryNode[]> {
  const nodes: BinaryNode[] = [];
  await new Promise<void>((resolve) => {
    connection.onNode((each) => {
      if (nodes.push(each) === count) resolve();
    });
  });
  return nodes;
}

function fault(connection: WireConnection): Promise<WireError | undefined> {
  return new Promise((resolve) => connection.onClose(resolve));
}

describe('an accepted connection', () => {
  it('proves the server and learns who the client is', async () => {
    const { client, connection } = await connected({ payload: { pushName: 'Ada', passive: true } });
    expect(client.serverStaticKey).toStrictEqual(identity.staticKeyPair.publicKey);
    expect(client.serverCertChain).toStrictEqual(identity.certChain);
    expect(connection.clientStaticKey).toStrictEqual(client.staticKeys.publicKey);
    expect(connection.clientPayload).toMatchObject({ pushName: 'Ada', passive: true });
    expect(connection.routingInfo).toBeUndefined();
  });

  it('carries nodes both ways, in order', async () => {
    const { socket, client, connection } = await connected();
    for (const id of [1, 2, 3]) socket.send(client.seal(ping(id)));
    expect(await received(connection, 3)).toStrictEqual([ping(1), ping(2), ping(3)]);
    for (const id of [4, 5, 6]) connection.send(ping(id));
    for (const id of [4, 5, 6]) expect(await client.nextNode()).toStrictEqual(ping(id));
  });

  it('does not care where websocket messages end', async () => {
    const { socket, accepted } = await dial();
    const write = (bytes: Buffer) => {
      for (const byte of bytes) socket.send(Buffer.of(byte));
    };
    const client = await greetServer(socket, { write, routingInfo: Buffer.from('edge') });
    socket.send(Buffer.concat([client.clientFinish, client.seal(ping(1)), client.seal(ping(2)).subarray(0, 9)]));
    const connection = await accepted;
    expect(connection.routingInfo).toStrictEqual(Buffer.from('edge'));
    expect(await received(connection, 1)).toStrictEqual([ping(1)]);
  });

  it('makes a resuming client fall back', async () => {
    const { client, connection } = await connected({ resume: true, payload: { pushName: 'Ada' } });
    expect(connection.clientPayload.pushName).toBe('Ada');
    connection.send(ping(1));
    expect(await client.nextNode()).toStrictEqual(ping(1));
  });

  it('tells when the client leaves, and then sends nothing', async () => {
    const { socket, connection } = await connected();
    socket.close();
    expect(await fault(connection)).toBeUndefined();
    expect(connection.closed).toBe(true);
    expect(() => connection.send(ping(1))).not.toThrow();
    expect(await fault(connection)).toBeUndefined();
  });

  it('closes cleanly after the last node, or cuts the line', async () => {
    const first = await connected();
    const firstClosed = once(first.socket, 'close');
    first.connection.send(ping(1));
    first.connection.close();
    expect(await first.client.nextNode()).toStrictEqual(ping(1));
    expect((await firstClosed)[0]).toBe(1005);
    const second = await connected();
    const secondClosed = once(second.socket, 'close');
    second.connection.terminate();
    expect((await secondClosed)[0]).toBe(1006);
  });
});

describe('a connection ends with a fault', () => {
  it.each<[string, (client: Awaited<ReturnType<typeof connected>>['client']) => Buffer | string]>([
    ['wrong authentication tag', ({ seal }) => flipLastBit(seal(ping(1)))],
    ['wrong authentication tag', ({ seal }) => [seal(ping(1)), seal(ping(2))][1] ?? ''],
    ['shorter than its tag', () => Buffer.from([0, 0, 2, 1, 1])],
    ['1 bytes follow the node', ({ sealBytes }) => sealBytes(Buffer.concat([encodeNode(ping(1)), Buffer.of(0)]))],
    ['a websocket message is text', () => 'hello'],
  ])('for %s', async (reason, bytesOf) => {
    const { socket, client, connection } = await connected();
    const nodes: BinaryNode[] = [];
    connection.onNode((each) => nodes.push(each));
    socket.send(bytesOf(client));
    socket.send(client.seal(ping(3)));
    const error = await fault(connection);
    expect(error).toBeInstanceOf(WireError);
    expect(error?.message).toContain(reason);
    expect(nodes).toStrictEqual([]);
  });

  it('when a listener finds the node wrong', async () => {
    const { socket, client, connection } = await connected();
    connection.onNode(() => {
      throw new WireError('no such stanza');
    });
    socket.send(client.seal(ping(1)));
    expect((await fault(connection))?.message).toBe('no such stanza');
  });
});

describe('a handshake fails', () => {
  it.each<[string, (socket: WebSocket) => unknown]>([
    ['does not start with the header', (socket) => socket.send(Buffer.from('GET /'))],
    ['not a clientHello', (socket) => socket.send(Buffer.from([0x57, 0x41, 6, 3, 0, 0, 0]))],
    ['not valid protobuf', (socket) => socket.send(Buffer.from([0x57, 0x41, 6, 3, 0, 0, 2, 0x12, 9]))],
    ['4 bytes instead of 32', (socket) => socket.send(hello(Buffer.alloc(4, 1)))],
    ['key agreement failed', (socket) => socket.send(hello(Buffer.alloc(32)))],
    ['not a clientFinish', (socket) => greetServer(socket).then(() => socket.send(Buffer.of(0, 0, 0)))],
    ['wrong authentication tag', async (socket) => socket.send(flipLastBit((await greetServer(socket)).clientFinish))],
    ['the client left', (socket) => socket.close()],
  ])('for %s', async (reason, misbehave) => {
    const { socket, accepted } = await dial();
    const closed = once(socket, 'close');
    await misbehave(socket);
    await expect(accepted).rejects.toThrow(WireError);
    await expect(accepted).rejects.toThrow(reason);
    await closed;
  });
});

it('does not wait for ever for a client that says nothing', async () => {
  const { socket, accepted } = await dial(1);
  const closed = once(socket, 'close');
  await expect(accepted).rejects.toThrow('the handshake took too long');
  expect((await closed)[0]).toBe(1002);
});

function hello(ephemeral: Buffer): Buffer {
  const clientHello = Buffer.concat([Buffer.of(0x0a, ephemeral.length), ephemeral]);
  const message = Buffer.concat([Buffer.of(0x12, clientHello.length), clientHello]);
  return Buffer.concat([Buffer.from([0x57, 0x41, 6, 3, 0, 0, message.length]), message]);
}

function flipLastBit(frame: Buffer): Buffer {
  const copy = Buffer.from(frame);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}
