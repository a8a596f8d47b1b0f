import { describe, expect, test } from 'vitest';
import { ACKS } from '#shared/domain/message-ack.ts';
import type { EngineEvent } from '../engine.ts';
import { resolveMessage } from './ids.ts';
import { chatOf } from './noweb-world.ts';
import { ackOf, serverAck, toAcks } from './receipts.ts';

const OWN = { id: '4915199999999:1@s.whatsapp.net', lid: '99999999999:1@lid' };
const ME = chatOf('4915199999999');
const ADA = '4915100000001@s.whatsapp.net';
const GROUP = '120363000000000001@g.us';
const nobody = async () => null;

const acksOf = (attrs: Readonly<Record<string, string>>) =>
  toAcks({ attrs: { t: '5', ...attrs }, ids: ['AAAAAAAA'] }, OWN, { me: () => ME, lookUpOther: nobody, now: () => 0 });

const told = (events: readonly EngineEvent[]) =>
  events.map(({ body }) =>
    body.event === 'message.ack' || body.event === 'message.ack.group'
      ? [body.event, body.payload.ackName, body.payload.participant]
      : [body.event],
  );

describe('receipts', () => {
  test.each([
    ['that it has come', {}, 'DEVICE'],
    ['that it was read', { type: 'read' }, 'READ'],
    ['that it was played', { type: 'played' }, 'PLAYED'],
  ])('%s, by a person and by a member of a group', async (_, type, name) => {
    expect(told(await acksOf({ from: ADA, ...type }))).toEqual([['message.ack', name, null]]);
    const member = ['message.ack.group', name, '4915100000001@c.us'];
    expect(told(await acksOf({ from: GROUP, participant: ADA, ...type }))).toEqual([member]);
    expect(told(await acksOf({ from: 'status@broadcast', participant: ADA, ...type }))).toEqual([member]);
  });

  test.each([
    ['of an own device that has it', { from: OWN.id, type: 'sender', recipient: ADA }],
    ['of an own device that has a group’s message', { from: GROUP, participant: OWN.id, type: 'sender' }],
    ['of an own device that has read what others wrote', { from: OWN.id, type: 'read-self', recipient: ADA }],
    ['of an own device that has read what others wrote in a group', { from: GROUP, participant: OWN.id, type: 'read' }],
    ['of one that has read it unseen', { from: GROUP, participant: OWN.id, type: 'read-self' }],
    ['of one that has got it', { from: GROUP, participant: OWN.id }],
    ['of one that has read it, by LID', { from: GROUP, participant: OWN.lid, type: 'read' }],
    ['of an own device that has seen a status', { from: 'status@broadcast', participant: OWN.lid, type: 'read' }],
    ['of an own device, by LID', { from: OWN.lid, type: 'read' }],
    ['that asks for the message again', { from: ADA, type: 'retry' }],
  ])('%s: no ack', async (_, attrs) => {
    expect(await acksOf(attrs)).toEqual([]);
  });

  test('of others make acks before the account’s LID is known', () => {
    expect(ackOf({ from: GROUP, participant: ADA }, { ...OWN, lid: '' })).toBe(ACKS.DEVICE);
  });
});

describe('the server’s ack', () => {
  const acked = async (remoteJid: string) => {
    const address = await resolveMessage({ remoteJid, fromMe: true, id: 'AAAAAAAA' }, ME, nobody);
    if (!address) throw new Error('no address');
    return serverAck(address, ME, 5_000);
  };

  test('is an ack of the chat, and in groups one of the account’s own', async () => {
    expect(told([await acked(ADA)])).toEqual([['message.ack', 'SERVER', null]]);
    expect(told([await acked(GROUP)])).toEqual([['message.ack.group', 'SERVER', ME]]);
    expect(told([await acked('status@broadcast')])).toEqual([['message.ack.group', 'SERVER', ME]]);
  });
});
