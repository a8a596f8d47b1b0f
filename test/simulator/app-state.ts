import { proto } from '@whiskeysockets/baileys';
import { nowSeconds, pnJid } from './accounts.ts';
import { deliver } from './delivery.ts';
import type { IqRequest, IqTable } from './iq-router.ts';
import { attrText, type BinaryNode, bytes, child, children, node, requireText } from './wire/binary-node.ts';

/** Patches are opaque to the server: it numbers them, keeps them and hands them to the account's other clients. */
export const appStateIqs: IqTable = {
  'w:sync:app:state set sync': (request) => [
    node(
      'sync',
      {},
      children(request.child, 'collection').map((collection) => answerCollection(request, collection)),
    ),
  ],
};

function answerCollection({ server, device }: IqRequest, collection: BinaryNode): BinaryNode {
  const name = requireText(collection, 'name');
  const known = device.account.appState.get(name) ?? [];
  const base = Number(attrText(collection, 'version') ?? '0');
  const sent = child(collection, 'patch');
  const patch = sent && bytes(sent);
  const version = known.at(-1)?.version ?? 0;
  if (!patch) {
    const missing = known.filter((each) => each.version > base).map((each) => node('patch', {}, each.patch));
    const content = missing.length > 0 ? [node('patches', {}, missing)] : [];
    return node('collection', { name, version: String(version) }, content);
  }
  if (base !== version) {
    return node('collection', { name, version: String(version), type: 'error' }, [node('error', { code: '409' })]);
  }
  const numbered = proto.SyncdPatch.decode(patch);
  numbered.version = { version: version + 1 };
  known.push({ version: version + 1, patch: Buffer.from(proto.SyncdPatch.encode(numbered).finish()) });
  device.account.appState.set(name, known);
  server.changed();
  for (const other of device.account.devices.values()) {
    if (other === device || other.id === 0) continue;
    const attrs = { from: pnJid(device.account), type: 'server_sync', id: server.nextId(), t: String(nowSeconds()) };
    const change = node('collection', { name, version: String(version + 1) });
    deliver(server, other, node('notification', attrs, [change]));
  }
  return node('collection', { name, version: String(version + 1) });
}
