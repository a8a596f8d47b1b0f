import { proto, type WAMessageKey } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { pollContent, sealVote } from '#test/simulator/polls.ts';
import { secretInContent } from './message-secrets.ts';
import { selectedOptions } from './poll-votes.ts';

const ID = 'POLL01';
const ME = ['4915199999999@s.whatsapp.net', '999@lid'] as const;
const ANN = ['4915100000001@s.whatsapp.net', '111@lid'] as const;
const BEN = ['4915100000002@s.whatsapp.net', '222@lid'] as const;
const GROUP = '1203630000@g.us';
const { message } = pollContent({ name: 'When?', options: ['now', 'later'] });
const kept = secretInContent(proto.Message.encode(message).finish());

/** Opens a vote that was made with these two addresses. */
function opened(
  creator: string,
  voter: string,
  poll: WAMessageKey,
  key: WAMessageKey,
  authors: readonly string[] = [],
) {
  const sealed = sealVote(message, { id: ID, creator, answerer: voter }, ['later']);
  const phones = new Map<string, string>([ANN, BEN].map(([phone, lid]) => [lid, phone]));
  return selectedOptions({ poll: { ...poll, id: ID }, sealed, timestamp: 1 }, key, {
    findSecret: async (id) => (id === ID && kept ? { ...kept, authors } : undefined),
    ownJids: () => [`${ME[0].replace('@', ':12@')}`, ME[1]],
    lookUpOther: async (lid) => phones.get(lid) ?? null,
  });
}

const pairs = (left: readonly string[], right: readonly string[]) =>
  left.flatMap((creator) => right.map((voter) => [creator, voter] as const));

describe('whichever of their addresses the voter’s device has used', () => {
  test.each(pairs(ME, ANN))('our poll, a contact’s vote: %s, %s', async (creator, voter) => {
    const key = { remoteJid: ANN[1], fromMe: false };
    expect(await opened(creator, voter, { fromMe: true }, key)).toEqual(['later']);
    const byPhone = { remoteJid: ANN[0], remoteJidAlt: ANN[1], fromMe: false };
    expect(await opened(creator, voter, { fromMe: true }, byPhone)).toEqual(['later']);
  });

  test.each(pairs(ANN, BEN))('a member’s poll, another’s vote: %s, %s', async (creator, voter) => {
    const poll = { participant: ANN[1], fromMe: false };
    expect(await opened(creator, voter, poll, { remoteJid: GROUP, participant: BEN[1] })).toEqual(['later']);
    // Named by phone number: the poll's own stanza had both.
    const byPhone = { remoteJid: GROUP, participant: BEN[0], participantAlt: BEN[1] };
    expect(await opened(creator, voter, { participant: ANN[0] }, byPhone, ANN)).toEqual(['later']);
  });

  test.each(pairs(ANN, ME))('a contact’s poll, our own vote: %s, %s', async (creator, voter) => {
    expect(await opened(creator, voter, { fromMe: false }, { remoteJid: ANN[1], fromMe: true })).toEqual(['later']);
  });
});

test('nobody votes in another’s name', async () => {
  const key = { remoteJid: GROUP, participant: BEN[1] };
  expect(await opened(ANN[1], ANN[1], { participant: ANN[1] }, key)).toBeUndefined();
});
