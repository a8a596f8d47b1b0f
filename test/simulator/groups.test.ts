import { describe, expect, test } from 'vitest';
import { type TestClient, until } from './client-under-test.ts';
import { useSimulator } from './test-bed.ts';

const bed = useSimulator();

const pairAll = (names: readonly string[]): Promise<TestClient[]> =>
  Promise.all(names.map((pushName) => bed.client({ pushName }).pair()));

const knows = (client: TestClient, group: string) => () =>
  JSON.stringify(client.seen.get('groups.upsert') ?? []).includes(group);

describe.each(['lid', 'pn'] as const)('a group addressed by %s', (addressing) => {
  test('texts reach every member, contacts included, both ways', async () => {
    const [alice, bob, carol] = await pairAll(['Alice', 'Bob', 'Carol'].map((name) => `${name} ${addressing}`));
    if (!alice || !bob || !carol) throw new Error('three clients were paired');
    const contact = bed.simulator.addContact({ name: `Greta ${addressing}` });
    const participants = [bob.phone, carol.phone, contact.phone];
    const { id } = bed.simulator.createGroup({ owner: alice.phone, subject: 'Tea', participants, addressing });
    await until('everybody to know the group', () => [alice, bob, carol].every((each) => knows(each, id)()));
    await alice.send(id, { text: 'from Alice' });
    const atBob = await bob.text('from Alice');
    expect(atBob.key).toMatchObject({ remoteJid: id, participant: addressing === 'lid' ? alice.lid : alice.jid });
    await carol.text('from Alice');
    const read = await until('the contact', async () => (await bed.simulator.inbox(contact.phone))[0]);
    expect(read).toMatchObject({ text: 'from Alice', chat: id, from: alice.jid });
    await bob.send(id, { text: 'from Bob' });
    await alice.text('from Bob');
    const sent = await bed.simulator.send(contact.phone, { to: id, text: 'from Greta' });
    const atAlice = await alice.text('from Greta');
    expect(atAlice.key.id).toBe(sent.id);
    await carol.text('from Greta');
    await bed.simulator.send(contact.phone, { to: id, text: 'again' });
    await carol.text('again');
    const change = { id, actor: alice.phone, change: 'remove' as const, participants: [carol.phone] };
    bed.simulator.changeGroup(change);
    await bed.simulator.send(contact.phone, { to: id, text: 'without Carol' });
    await bob.text('without Carol');
    await until('Carol to be told', () => JSON.stringify([...carol.seen]).includes('"action":"remove"'));
    expect(JSON.stringify([...carol.seen])).not.toContain('without Carol');
  });
});

describe('a group made by a client', () => {
  test('members come, go, are promoted and read only what is theirs', async () => {
    const [alice, bob, carol] = await pairAll(['Anna', 'Boris', 'Conny']);
    if (!alice || !bob || !carol) throw new Error('three clients were paired');
    const { id } = await alice.sock.groupCreate('Walks', [bob.jid]);
    await until('Bob to know the group', knows(bob, id));
    await alice.sock.groupParticipantsUpdate(id, [carol.jid], 'add');
    await until('Carol to know the group', knows(carol, id));
    await bob.send(id, { text: 'welcome' });
    await carol.text('welcome');
    expect(await alice.sock.groupParticipantsUpdate(id, [bob.jid], 'promote')).toMatchObject([{ status: '200' }]);
    expect(await bob.sock.groupParticipantsUpdate(id, [carol.jid], 'remove')).toMatchObject([{ status: '200' }]);
    await alice.send(id, { text: 'without Carol' });
    await bob.text('without Carol');
    const { participants } = await alice.sock.groupMetadata(id);
    expect(participants.map(({ admin }) => admin ?? null)).toEqual(['superadmin', 'admin']);
    expect(carol.messages.some(({ message }) => message?.extendedTextMessage?.text === 'without Carol')).toBe(false);
    await expect(carol.sock.groupMetadata(id)).rejects.toThrow('forbidden');
  });

  test('subject, description, settings and invitations are kept and announced', async () => {
    const [alice, bob] = await pairAll(['Antje', 'Bodo']);
    if (!alice || !bob) throw new Error('two clients were paired');
    const { id } = await alice.sock.groupCreate('Old', []);
    const code = await alice.sock.groupInviteCode(id);
    expect((await bob.sock.groupGetInviteInfo(code ?? '')).subject).toBe('Old');
    expect(await bob.sock.groupAcceptInvite(code ?? '')).toBe(id);
    await until('Bob to know the group', knows(bob, id));
    await alice.sock.groupUpdateSubject(id, 'New');
    await alice.sock.groupUpdateDescription(id, 'about it');
    await alice.sock.groupSettingUpdate(id, 'announcement');
    await alice.sock.groupToggleEphemeral(id, 86400);
    await alice.sock.groupMemberAddMode(id, 'all_member_add');
    await alice.sock.groupJoinApprovalMode(id, 'on');
    const metadata = await bob.sock.groupMetadata(id);
    expect(metadata).toMatchObject({ subject: 'New', desc: 'about it', announce: true, ephemeralDuration: 86400 });
    await expect(
      bob.sock.groupUpdateSubject(id, 'mine').then(() => bob.sock.groupSettingUpdate(id, 'locked')),
    ).rejects.toThrow('forbidden');
    const refused = await bob.send(id, { text: 'may I?' });
    await until('the refusal', () => bob.failed(refused.key.id));
    await bob.sock.groupLeave(id);
    expect(Object.keys(await bob.sock.groupFetchAllParticipating())).toEqual([]);
    await until('the news', () => JSON.stringify(alice.seen.get('group-participants.update') ?? []).includes('remove'));
  });
});

test('a status update reaches those it is meant for', async () => {
  const [alice, bob] = await pairAll(['Agnes', 'Bruno']);
  if (!alice || !bob) throw new Error('two clients were paired');
  await alice.sock.sendMessage('status@broadcast', { text: 'my day' }, { statusJidList: [bob.jid] });
  const seen = await bob.text('my day');
  expect(seen.key).toMatchObject({ remoteJid: 'status@broadcast' });
});
