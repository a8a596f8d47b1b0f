import { proto, type WAMessage } from '@whiskeysockets/baileys';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { EngineEvent } from '../engine.ts';
import { toAccountEvent } from './account-sync.ts';
import { toCallEvent } from './calls.ts';
import { toGroupEvents } from './group-changes.ts';
import type { LookUpOther } from './ids.ts';
import { Inbound } from './inbound.ts';
import { keptNode } from './kept-node.ts';
import { chatOf } from './noweb-world.ts';
import { toAcks } from './receipts.ts';
import { toMediaEvent } from './stored-media.ts';

const OWN = { id: '4915199999999:1@s.whatsapp.net', lid: '99999999999:1@lid' };
const ME = chatOf('4915199999999');
const [LID, PHONE] = ['77777777777@lid', '4915100000001@s.whatsapp.net'];
const GROUP = '120363000000000001@g.us';
const SECONDS = 1_700_000_000;
const TARGET = { remoteJid: LID, id: 'BBBBBBBB', fromMe: true };

type Tell = (lookUpOther: LookUpOther) => Promise<readonly EngineEvent[]>;

const contents: Readonly<Record<string, proto.IMessage>> = {
  message: { conversation: 'hi' },
  reaction: { reactionMessage: { key: TARGET, text: '👍' } },
  edit: {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.MESSAGE_EDIT,
      key: TARGET,
      editedMessage: { conversation: 'new' },
    },
  },
  revocation: { protocolMessage: { type: proto.Message.ProtocolMessage.Type.REVOKE, key: TARGET } },
  vote: { pollUpdateMessage: { pollCreationMessageKey: TARGET, vote: { encPayload: new Uint8Array(1) } } },
  'answer to an event': { encEventResponseMessage: { eventCreationMessageKey: TARGET, encPayload: new Uint8Array(1) } },
};

const chats: Readonly<Record<string, WAMessage['key']>> = {
  'of a person': { remoteJid: LID },
  'of a member of a group': { remoteJid: GROUP, participant: LID },
  'of a status': { remoteJid: 'status@broadcast', participant: LID },
};

function converted(message: WAMessage): Tell {
  return async (lookUpOther) => {
    const events: EngineEvent[] = [];
    const inbound = new Inbound({
      me: () => ME,
      lookUpOther,
      otherAddress: () => undefined,
      findSecret: async () => undefined,
      ownJids: () => [OWN.id],
      storeMedia: async () => null,
      emit: (event) => events.push(event),
      logger: pino({ level: 'silent' }),
    });
    await inbound.accept(message, 'app');
    return events;
  };
}

const messages = Object.entries(contents).flatMap(([name, message]) =>
  Object.entries(chats).map(([where, chat]): readonly [string, Tell] => {
    const key = { ...chat, id: 'AAAAAAAA', fromMe: false };
    return [`${name} ${where}`, converted({ key, message, messageTimestamp: SECONDS })];
  }),
);

const receipt =
  (attrs: Readonly<Record<string, string>>): Tell =>
  (lookUpOther) =>
    toAcks({ attrs: { t: String(SECONDS), ...attrs }, ids: ['AAAAAAAA'] }, OWN, {
      me: () => ME,
      lookUpOther,
      now: () => 0,
    });

const account =
  (change: Parameters<typeof toAccountEvent>[0]['change']): Tell =>
  async (lookUpOther) =>
    [await toAccountEvent({ kind: 'account', at: SECONDS * 1000, change }, lookUpOther)].filter(
      (event) => event !== undefined,
    );

const others: readonly (readonly [string, Tell])[] = [
  [
    'message that is waited for',
    converted({
      key: { remoteJid: LID, id: 'AAAAAAAA', fromMe: false },
      messageStubType: proto.WebMessageInfo.StubType.CIPHERTEXT,
      messageTimestamp: SECONDS,
    }),
  ],
  ['message of the API', converted({ key: { ...TARGET }, message: { conversation: 'hi' }, messageTimestamp: SECONDS })],
  ['receipt of a person', receipt({ from: LID })],
  ['receipt of a member', receipt({ from: GROUP, participant: LID, type: 'read' })],
  [
    'media',
    async (lookUpOther) => {
      const media = { url: null, mimetype: null, filename: null, error: null };
      const stored = { kind: 'media', at: SECONDS * 1000, chat: LID, id: 'AAAAAAAA', fromMe: false, media } as const;
      const event = await toMediaEvent(stored, { me: () => ME, lookUpOther });
      return event ? [event] : [];
    },
  ],
  [
    'call',
    async (lookUpOther) => {
      const call = { kind: 'call', id: 'CALL', status: 'offer', from: LID, chat: LID } as const;
      return [await toCallEvent({ ...call, timestamp: SECONDS, video: false, group: false }, lookUpOther)];
    },
  ],
  [
    'change of a group',
    (lookUpOther) => {
      const attrs = { from: GROUP, participant: LID, id: 'CHANGE', t: String(SECONDS) };
      const change = keptNode({ tag: 'add', attrs: {}, content: [{ tag: 'participant', attrs: { jid: LID } }] });
      return toGroupEvents({ kind: 'group', attrs, change }, OWN, lookUpOther);
    },
  ],
  ['archived chat', account({ type: 'archive', chat: LID, archived: true })],
  ['label of a chat', account({ type: 'label-chat', labelId: '1', chat: LID, added: true, label: null })],
];

const identity = ({ body, key, timestamp }: EngineEvent) => [body.event, key, timestamp];

test.each([...messages, ...others])('%s: the same before and after its phone number is learned', async (_, tell) => {
  const before = await tell(async () => null);
  const after = await tell(async (jid) => (jid === LID ? PHONE : null));
  expect(before).not.toEqual([]);
  expect(after.map(identity)).toEqual(before.map(identity));
  // Otherwise nothing was learned, and nothing is shown.
  expect(JSON.stringify(after.map(({ body }) => body))).toContain('4915100000001@c.us');
});
