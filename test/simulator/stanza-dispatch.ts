import { accountIqs } from './account-iqs.ts';
import { appStateIqs } from './app-state.ts';
import { ClientSession } from './client-session.ts';
import { groupIqs } from './group-iqs.ts';
import { answerIq, answerWith, type IqTable } from './iq-router.ts';
import { acceptCompanionFinish, acceptCompanionHello } from './link-code.ts';
import { logIn, logOff, sessionIqs } from './login.ts';
import { mediaIqs } from './media.ts';
import { acceptMessage } from './messages.ts';
import { prekeyIqs } from './prekeys.ts';
import { acceptPresence, routeChatState } from './presence.ts';
import { propertyIqs } from './property-iqs.ts';
import { acceptAck, acceptReceipt } from './receipts.ts';
import { endRegistration, startRegistration } from './registration.ts';
import type { Server } from './server.ts';
import { usyncIqs } from './usync.ts';
import { attrText, type BinaryNode, child, node } from './wire/binary-node.ts';
import type { WireConnection } from './wire/server-connection.ts';
import { WireError } from './wire/wire-error.ts';

const deviceIqs: IqTable = {
  ...sessionIqs,
  ...prekeyIqs,
  ...usyncIqs,
  ...mediaIqs,
  ...groupIqs,
  ...accountIqs,
  ...appStateIqs,
  ...propertyIqs,
};

/** Takes over a connection whose handshake is done: registration for strangers, login for the others. */
export function serveClient(server: Server, connection: WireConnection): void {
  const session = new ClientSession(server, connection);
  server.sessions.add(session);
  server.stats.connections += 1;
  connection.onClose((fault) => {
    if (fault) server.stats.violation(`wire: ${fault.message}`);
    server.sessions.delete(session);
    if (session.registration) endRegistration(server, session.registration);
    logOff(server, session);
  });
  if (connection.clientPayload.devicePairingData) startRegistration(server, session);
  else logIn(server, session);
  connection.onNode((stanza) => {
    try {
      takeStanza(server, session, stanza);
    } catch (error) {
      const text = error instanceof WireError ? error.message : error instanceof Error ? error.stack : String(error);
      server.stats.violation(`<${stanza.tag}>: ${text}`);
    }
  });
}

function takeStanza(server: Server, session: ClientSession, stanza: BinaryNode): void {
  const { device } = session;
  session.heardAt = Date.now();
  if (device?.session && device.session !== session) {
    server.clientLog.note({ kind: 'late', phone: device.account.phone, device: device.id, tag: stanza.tag });
  }
  if (stanza.tag === 'iq') {
    takeIq(session, stanza);
    return;
  }
  // Clients report their own telemetry before and after login; the server has no use for it.
  if (stanza.tag === 'ib') return;
  if (!device) {
    // A client being linked acknowledges what it was told, also the end of it, and may already show itself.
    const isLinking = Boolean(session.connection.clientPayload.devicePairingData);
    if (isLinking && (stanza.tag === 'ack' || stanza.tag === 'presence')) return;
    server.stats.unknownStanza(`${stanza.tag} before login`);
    return;
  }
  switch (stanza.tag) {
    case 'message':
      acceptMessage(server, session, device, stanza);
      return;
    case 'receipt':
      acceptReceipt(server, session, device, stanza);
      return;
    case 'ack':
      acceptAck(server, device, stanza);
      return;
    case 'presence':
      acceptPresence(server, session, device, stanza);
      return;
    case 'chatstate':
      routeChatState(server, device, stanza);
      return;
    case 'call':
      session.send(node('ack', { class: 'call', id: attrText(stanza, 'id'), from: stanza.attrs.to }));
      return;
    default:
      server.stats.unknownStanza(stanza.tag);
  }
}

function takeIq(session: ClientSession, iq: BinaryNode): void {
  const type = attrText(iq, 'type');
  if (type === 'result' || type === 'error') {
    if (!session.answered(iq)) session.server.stats.unknownIq(`${type} nobody asked for`);
    return;
  }
  const { registration, server } = session;
  const linkCode = child(iq, 'link_code_companion_reg');
  if (registration && linkCode) {
    const hello = attrText(linkCode, 'stage') === 'companion_hello';
    const accept = hello ? acceptCompanionHello : acceptCompanionFinish;
    void answerWith(session, iq, () => accept(server, registration, linkCode));
    return;
  }
  // A client pings from the start, and its ping may cross with a refused login or with being logged off.
  if (!session.device && attrText(iq, 'xmlns') === 'w:p') {
    void answerWith(session, iq, () => undefined);
    return;
  }
  void answerIq(session, iq, deviceIqs);
}
