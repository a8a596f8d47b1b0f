import { beforeEach, describe, expect, it } from 'vitest';
import type { SaidOfAuthor } from '#shared/domain/message-author.ts';
import type { MessageStore } from '#shared/ports/read-models.ts';
import { author, bareIdOf, CHAT, GROUP, LID, ME, media, OTHER, page, SENDER, THEM } from './message-samples.ts';
import { waMessage } from './rows.ts';

/** What every message store makes of messages and facts under ids that anybody may use. @param factory gives an empty store */
export function defineMessageAuthorsContract(name: string, factory: () => Promise<MessageStore>): void {
  describe(`${name}: a message store, of who has done what,`, () => {
    let store: MessageStore;
    beforeEach(async () => {
      store = await factory();
    });

    it('takes an edit, media and a revocation from whoever wrote the message, whichever comes first', async () => {
      const messages = [
        waMessage({ id: 'AAAAA1', fromMe: true }),
        waMessage({ id: 'AAAAA2', chatId: GROUP, participant: SENDER }),
      ];
      const strangers = [
        author(OTHER),
        author(OTHER, { fromMe: true }),
        author(OTHER, { lid: '88888888888@lid' }),
        author(GROUP, { participant: OTHER }),
        author(GROUP, { fromMe: true }),
        author('status@broadcast', { participant: SENDER }),
        THEM,
      ];
      for (const order of ['message first', 'message last'] as const) {
        for (const [index, message] of messages.entries()) {
          const session = `${order}-${index}`;
          const id = bareIdOf(message);
          if (order === 'message first') await store.add(session, message, 1);
          for (const by of strangers) {
            await store.edit(session, id, by, { body: 'forged', content: 'Zm9yZ2Vk' }, 9000);
            await store.setMedia(session, id, by, media('forged'), 9000);
            if (by.chatId !== GROUP) await store.revoke(session, id, by, 9000);
          }
          if (order === 'message last') await store.add(session, message, 1);
          const row = await store.get(session, id);
          expect(row).toMatchObject({ message });
          expect(row).not.toHaveProperty('editedAt');
          expect(row).not.toHaveProperty('revokedAt');
          const own = index === 0 ? ME : author(GROUP, { participant: SENDER });
          await store.edit(session, id, own, { body: 'edited' }, 5000);
          await store.setMedia(session, id, own, media(null), 5000);
          await store.revoke(session, id, own, 9999);
          const edited = { editedAt: 5000, revokedAt: 9999, message: { body: 'edited', media: media(null) } };
          expect(await store.get(session, id)).toMatchObject(edited);
          expect(await store.query(session, page())).toMatchObject([edited]);
        }
      }
    });

    it('knows an author by number and by LID', async () => {
      const inGroup = { chatId: GROUP, participant: SENDER, _data: { lid: LID } };
      const authors = [
        [waMessage({ id: 'AAAAA1', _data: { lid: LID } }), author(LID)],
        [waMessage({ id: 'AAAAA2', chatId: LID }), author(CHAT, { lid: LID })],
        [waMessage({ id: 'AAAAA3', ...inGroup }), author(GROUP, { participant: LID })],
        [waMessage({ id: 'AAAAA4', ...inGroup, participant: LID }), author(GROUP, { participant: SENDER, lid: LID })],
        [waMessage({ id: 'AAAAA5', fromMe: true, _data: { lid: LID } }), author(LID, { fromMe: true })],
      ] as const;
      for (const [message, by] of authors) {
        const id = bareIdOf(message);
        await store.edit('alpha', id, by, { body: 'edited' }, 5000);
        await store.react('alpha', id, by, SENDER, '👍', 5000);
        await store.revoke('alpha', id, by, 6000);
        await store.add('alpha', message, 1);
        const row = await store.get('alpha', id);
        expect(row).toMatchObject({ revokedAt: 6000, message: { body: 'edited' }, reactions: { [SENDER]: '👍' } });
      }
      const stranger = author(GROUP, { participant: '4915100000004@c.us', lid: '88888888888@lid' });
      await store.edit('alpha', 'AAAAA3', stranger, { body: 'forged' }, 9000);
      expect(await store.get('alpha', 'AAAAA3')).toMatchObject({ editedAt: 5000 });
    });

    it('takes a revocation from anybody in a group, who may be an admin, and from nobody outside', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1', chatId: GROUP, participant: SENDER }), 1);
      await store.revoke('alpha', 'AAAAA1', author('120363000000000002@g.us', { participant: SENDER }), 1000);
      expect(await store.get('alpha', 'AAAAA1')).not.toHaveProperty('revokedAt');
      await store.revoke('alpha', 'AAAAA1', author(GROUP, { participant: OTHER }), 4000);
      await store.revoke('alpha', 'AAAAA1', author(GROUP, { fromMe: true }), 3000);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({ revokedAt: 3000 });
    });

    it('shows reactions of the message’s chat only, and does not lose them to those of another', async () => {
      const inGroup = author(GROUP, { participant: SENDER });
      await store.react('alpha', 'AAAAA1', inGroup, SENDER, '👍', 1000);
      await store.react('alpha', 'AAAAA1', author(SENDER), SENDER, '🎉', 2000);
      await store.react('alpha', 'AAAAA1', author(GROUP, { fromMe: true }), '4915109999999@c.us', '👏', 2000);
      await store.add('alpha', waMessage({ id: 'AAAAA1', chatId: GROUP, participant: OTHER }), 1);
      const { reactions } = (await store.get('alpha', 'AAAAA1')) ?? {};
      expect(reactions).toEqual({ [SENDER]: '👍', '4915109999999@c.us': '👏' });
    });

    it('has room for all messages that come under one id, and takes each one for itself', async () => {
      const messages = [
        waMessage({ id: 'AAAAA1', fromMe: true, timestamp: 1, body: 'mine' }),
        waMessage({ id: 'AAAAA1', timestamp: 2, body: 'theirs' }),
        waMessage({ id: 'AAAAA1', chatId: OTHER, timestamp: 3, body: 'of another chat' }),
        waMessage({ id: 'AAAAA1', chatId: GROUP, participant: SENDER, timestamp: 4, body: 'in a group' }),
        waMessage({ id: 'AAAAA1', chatId: GROUP, participant: OTHER, timestamp: 5, body: 'by another member' }),
      ];
      for (const [index, order] of [messages, messages.toReversed()].entries()) {
        const session = `session-${index}`;
        await store.edit(session, 'AAAAA1', author(OTHER), { body: 'edited' }, 5000);
        for (const message of [...order, ...order]) await store.add(session, message, 1);
        await store.react(session, 'AAAAA1', author(GROUP, { participant: SENDER }), SENDER, '👍', 1000);
        await store.revoke(session, 'AAAAA1', ME, 6000);
        const rows = await store.query(session, page());
        const bodies = ['mine', 'theirs', 'edited', 'in a group', 'by another member'];
        expect(rows.map(({ message }) => message.body)).toEqual(bodies);
        expect(rows.map(({ id }) => id)).toEqual(messages.map(() => 'AAAAA1'));
        expect(rows.map(({ revokedAt }) => revokedAt)).toEqual([6000, undefined, undefined, undefined, undefined]);
        expect(rows.map(({ reactions }) => Object.keys(reactions).length)).toEqual([0, 0, 0, 1, 1]);
        const inChat = await store.query(session, page({ chatId: OTHER }));
        expect(inChat).toMatchObject([{ message: { id: messages[2]?.id, body: 'edited' } }]);
        for (const chatId of [OTHER, GROUP]) {
          expect(await store.get(session, 'AAAAA1', { chatId })).toMatchObject({ id: 'AAAAA1', chatId });
        }
        const bodyOf = async (of: SaidOfAuthor) => (await store.get(session, 'AAAAA1', of))?.message.body;
        expect(await bodyOf({})).toBe(order[0]?.body === 'of another chat' ? 'edited' : order[0]?.body);
        expect(await bodyOf({ fromMe: true })).toBe('mine');
        expect(await bodyOf({ chatId: CHAT, fromMe: true })).toBe('mine');
        expect(await bodyOf({ chatId: CHAT, fromMe: false })).toBe('theirs');
        expect(await bodyOf({ chatId: GROUP, fromMe: false, participant: SENDER })).toBe('in a group');
        expect(await bodyOf({ chatId: GROUP, fromMe: false, participant: OTHER })).toBe('by another member');
        const stranger = '4915100000009@c.us';
        for (const of of [
          { chatId: stranger },
          { chatId: GROUP, participant: stranger },
          { chatId: GROUP, fromMe: true },
        ])
          expect(await bodyOf(of)).toBeUndefined();
      }
      await store.clear('session-0');
      expect(await store.query('session-0', page())).toEqual([]);
    });

    it('finds a message by the number of who was known by LID alone, where nobody else can be meant', async () => {
      const byLid = waMessage({ id: 'AAAAA1', chatId: GROUP, participant: LID, body: 'by LID', _data: { lid: LID } });
      await store.add('alpha', byLid, 1);
      const bodyOf = async (participant: string) =>
        (await store.get('alpha', 'AAAAA1', { chatId: GROUP, fromMe: false, participant }))?.message.body;
      expect(await bodyOf(SENDER)).toBe('by LID');
      expect(await bodyOf('88888888888@lid')).toBeUndefined();
      await store.add('alpha', waMessage({ id: 'AAAAA1', chatId: GROUP, participant: SENDER, body: 'by number' }), 2);
      expect(await bodyOf(SENDER)).toBe('by number');
      expect(await bodyOf(LID)).toBe('by LID');
      expect(await bodyOf(OTHER)).toBeUndefined();
    });

    it('knows a message again whose chat’s number has been learned since', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1', chatId: OTHER, timestamp: 1 }), 1);
      for (const _ of [1, 2]) {
        await store.add('alpha', waMessage({ id: 'AAAAA1', chatId: LID }), 1);
        await store.add('alpha', waMessage({ id: 'AAAAA1', _data: { lid: LID } }), 2);
      }
      expect((await store.query('alpha', page())).map(({ chatId }) => chatId)).toEqual([OTHER, LID]);
    });
  });
}
