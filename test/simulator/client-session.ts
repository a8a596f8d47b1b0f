import type { Device } from './accounts.ts';
import { deviceName } from './accounts.ts';
import type { Registration } from './registration.ts';
import type { Server } from './server.ts';
import { type BinaryNode, node, requireText } from './wire/binary-node.ts';
import { SERVER_JID } from './wire/jid.ts';
import type { WireConnection } from './wire/server-connection.ts';

type Reply = (answer: BinaryNode) => void;

/** One connected client: first a stranger, then a device being registered, or a device logged in. */
export class ClientSession {
  readonly server: Server;
  readonly connection: WireConnection;
  device: Device | undefined;
  registration: Registration | undefined;
  /** True from `<active/>` on: stanzas go out live instead of waiting in the offline queue. */
  active = false;
  /** The place on the wire at which it was: all before it is from its backlog, or was given to an earlier client. */
  activeFrom = Number.POSITIVE_INFINITY;
  available = false;
  /** When the client was last heard of, ms since 1970. */
  heardAt = Date.now();
  readonly #replies = new Map<string, Reply>();

  constructor(server: Server, connection: WireConnection) {
    this.server = server;
    this.connection = connection;
  }

  send(stanza: BinaryNode): void {
    if (!this.connection.closed) this.connection.send(stanza);
  }

  /** Sends an iq of the server's own; `reply` gets the client's answer if it ever comes. */
  request(attrs: Readonly<Record<string, string>>, content: readonly BinaryNode[], reply: Reply): void {
    const id = this.server.nextId();
    this.#replies.set(id, reply);
    this.send(node('iq', { from: SERVER_JID, id, type: 'set', ...attrs }, content));
  }

  /** Hands a client's answer to whoever asked; false when nobody did. */
  answered(answer: BinaryNode): boolean {
    const id = requireText(answer, 'id');
    const reply = this.#replies.get(id);
    this.#replies.delete(id);
    reply?.(answer);
    return reply !== undefined;
  }

  /** Ends the stream the way the server does: a last stanza, then the socket. */
  end(lastWords: BinaryNode): void {
    this.send(lastWords);
    this.connection.close();
  }

  terminate(): void {
    this.connection.terminate();
  }

  /** Binds the session to its device from a successful login on. */
  bind(device: Device): void {
    this.device = device;
    device.session = this;
    this.server.stats.connectionsOf(deviceName(device), 1);
  }

  /** Undoes {@link bind}; a successor that has taken the device over is left alone. */
  unbind(): void {
    const { device } = this;
    if (!device) return;
    this.server.stats.connectionsOf(deviceName(device), -1);
    this.server.clientLog.note({ kind: 'closed', phone: device.account.phone, device: device.id });
    if (device.session === this) device.session = undefined;
  }
}
