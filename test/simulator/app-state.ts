import { proto } from '@whiskeysockets/baileys';
import { type Account, type Device, nowSeconds, pnJid } from './accounts.ts';
import { deliver } from './delivery.ts';
import type { IqRequest, IqTable } from './iq-router.ts';
import type { Server } from './server.ts';
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
  keepPatch(server, device.account, name, patch, device);
  return node('collection', { name, version: String(version + 1) });
}

/** Numbers a patch that was made on top of the newest one, and tells the account's clients of it. @param author is not told */
export function keepPatch(server: Server, account: Account, name: string, patch: Uint8Array, author?: Device): void {
  const known = account.appState.get(name) ?? [];
  const version = (known.at(-1)?.version ?? 0) + 1;
  const numbered = proto.SyncdPatch.decode(patch);
  numbered.version = { version };
  known.push({ version, patch: Buffer.from(proto.SyncdPatch.encode(numbered).finish()) });
  account.appState.set(name, known);
  server.changed();
  for (const other of account.devices.values()) {
    if (other === author || other.id === 0) continue;
    const attrs = { from: pnJid(account), type: 'server_sync', id: server.nextId(), t: String(nowSeconds()) };
    deliver(server, other, node('notification', attrs, [node('collection', { name, version: String(version) })]));
  }
}
