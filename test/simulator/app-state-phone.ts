import { decodeSyncdPatch, encodeSyncdPatch, proto } from '@whiskeysockets/baileys';
import type { SyncRequest } from './admin-requests.ts';
import { keepPatch } from './app-state.ts';
import type { Phone } from './phone.ts';
import { formatJid, type Jid } from './wire/jid.ts';

type Create = Parameters<typeof encodeSyncdPatch>[0];

/** Changes something on the phone that is synchronised to its linked clients. */
export async function changeOnPhone(phone: Phone, chatOf: (text: string) => Jid, request: SyncRequest): Promise<void> {
  const create = patchFor(request, chatOf);
  const { id, data } = phone.appStateKey;
  const keyOf = async () => proto.Message.AppStateSyncKeyData.fromObject({ keyData: data });
  const known = phone.account.appState.get(create.type) ?? [];
  let state: Parameters<typeof encodeSyncdPatch>[2] = { version: 0, hash: Buffer.alloc(128), indexValueMap: {} };
  for (const { version, patch } of known) {
    const decoded = proto.SyncdPatch.decode(patch);
    state = { ...(await decodeSyncdPatch(decoded, create.type, state, keyOf, () => {}, true)), version };
  }
  const { patch } = await encodeSyncdPatch(create, id.toString('base64'), state, keyOf);
  keepPatch(phone.server, phone.account, create.type, Buffer.from(proto.SyncdPatch.encode(patch).finish()));
}

function patchFor({ archive, label, labelChat }: SyncRequest, chatOf: (text: string) => Jid): Create {
  const operation = proto.SyncdMutation.SyncdOperation.SET;
  if (archive) {
    const action = { archiveChatAction: { archived: archive.archived } };
    const index = ['archive', formatJid(chatOf(archive.chat))];
    return { type: 'regular_low', index, syncAction: action, apiVersion: 3, operation };
  }
  if (label) {
    const { id, name, color, deleted } = label;
    const syncAction = { labelEditAction: { name, color, deleted } };
    return { type: 'regular', index: ['label_edit', id], syncAction, apiVersion: 3, operation };
  }
  const { id = '', chat = '', labeled = true } = labelChat ?? {};
  const index = ['label_jid', id, formatJid(chatOf(chat))];
  return { type: 'regular', index, syncAction: { labelAssociationAction: { labeled } }, apiVersion: 3, operation };
}
