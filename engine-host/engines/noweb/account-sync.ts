import { type BaileysEventMap, jidNormalizedUser } from '@whiskeysockets/baileys';
import * as z from 'zod';
import type { Label } from '#shared/contracts/event-payloads.ts';
import type { EngineEvent, StateChange } from '../engine.ts';
import type { AccountChange } from './happening.ts';
import { givenAddress, type LookUpOther, resolveAddress } from './ids.ts';
import type { MarkedState } from './marked-state.ts';
import { pack, unpack } from './packed-json.ts';

const PREFIX = 'label/';
/** WhatsApp lets an account have twenty; whoever has more sees some without their names. */
const MOST = 100;
/** WAHA's and WhatsApp's colours of labels, by number. */
const COLORS = (
  'ff9485 64c4ff ffd429 dfaef0 99b6c1 55ccb3 ff9dff d3a91d 6d7cce d7e752 ' +
  '00d0e2 ffc5c7 93ceac f74848 00a0f2 83e422 ffaf04 b5ebff 9ba6ff 9368cf'
).split(' ');

const keptSchema = z.object({ name: z.string(), color: z.number() });

/** What Baileys tells; its own types name an enum that it keeps to itself. */
interface Association {
  readonly type: 'add' | 'remove';
  readonly association: { readonly labelId: string; readonly chatId: string; readonly messageId?: string };
}
interface ChatUpdate {
  readonly id?: string | null;
  readonly archived?: boolean | null;
  /** There, and undefined, for what was changed while the device was linked. */
  readonly conditional?: unknown;
}

/** A change, and what belongs into its record. */
interface Noted {
  readonly change: AccountChange['change'];
  readonly alongside: readonly StateChange[];
}

/**
 * What the owner changes on the phone and WhatsApp synchronises to all devices: labels, archived chats. Baileys has
 * stored how far it has read before it tells, so what a host knows of at its death is told; the moment between is not
 * covered.
 */
export class AccountSync {
  readonly #state: Pick<MarkedState, 'get' | 'keys'>;

  constructor(state: Pick<MarkedState, 'get' | 'keys'>) {
    this.#state = state;
  }

  label({ id, name, color, deleted }: BaileysEventMap['labels.edit']): Noted {
    const known = this.#find(id);
    const label = labelOf(id, name || known?.name || '', color ?? known?.color ?? 0);
    const key = `${PREFIX}${id}`;
    const change = { type: 'label', label, deleted: deleted === true } as const;
    if (change.deleted) return { change, alongside: known ? [{ key, value: null }] : [] };
    const isKept = known !== undefined || this.#state.keys(PREFIX).length < MOST;
    return { change, alongside: isKept ? [{ key, value: pack({ name: label.name, color: label.color }) }] : [] };
  }

  /** @returns undefined for labels of single messages, which have no event */
  association({ type, association }: Association): Noted | undefined {
    const { labelId, chatId: chat, messageId } = association;
    if (messageId !== undefined) return undefined;
    const change = {
      type: 'label-chat',
      labelId,
      chat,
      added: type === 'add',
      label: this.#find(labelId) ?? null,
    } as const;
    return { change, alongside: [] };
  }

  /**
   * @returns undefined for what is not the owner's doing: a message that brings its chat back, and the state of things
   *   when the device is linked
   */
  archive(update: ChatUpdate): Noted | undefined {
    const { id, archived } = update;
    const isOwners = 'conditional' in update && update.conditional === undefined;
    if (!id || typeof archived !== 'boolean' || !isOwners) return undefined;
    return { change: { type: 'archive', chat: id, archived }, alongside: [] };
  }

  #find(id: string): Label | undefined {
    const value = this.#state.get(`${PREFIX}${id}`);
    if (value === undefined) return undefined;
    const { name, color } = keptSchema.parse(unpack(value));
    return labelOf(id, name, color);
  }
}

export async function toAccountEvent(
  { at, change }: AccountChange,
  lookUp: LookUpOther,
): Promise<EngineEvent | undefined> {
  if (change.type === 'label') {
    const { label, deleted } = change;
    const event = deleted ? 'label.deleted' : 'label.upsert';
    return { body: { event, payload: label }, key: `${label.id}_${at}`, timestamp: at };
  }
  const jid = jidNormalizedUser(change.chat);
  const chat = await resolveAddress(jid, undefined, lookUp);
  if (!chat) return undefined;
  const given = givenAddress(jid);
  const _data = { lid: chat.lid ?? null };
  if (change.type === 'archive') {
    const payload = { id: chat.id, archived: change.archived, timestamp: Math.floor(at / 1000), _data };
    return { body: { event: 'chat.archive', payload }, key: `${given}_${change.archived}_${at}`, timestamp: at };
  }
  const { labelId, label, added } = change;
  const event = added ? 'label.chat.added' : 'label.chat.deleted';
  const payload = { labelId, chatId: chat.id, label, _data };
  return { body: { event, payload }, key: `${labelId}_${given}_${at}`, timestamp: at };
}

function labelOf(id: string, name: string, color: number): Label {
  return { id, name, color, colorHex: `#${COLORS[color % COLORS.length] ?? COLORS[0]}` };
}
