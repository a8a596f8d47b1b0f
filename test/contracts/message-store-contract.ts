import { beforeEach, describe, expect, it } from 'vitest';
import type { WaMessage } from '#shared/contracts/message.ts';
import { authorOf, type MessageAuthor, type SaidOfAuthor } from '#shared/domain/message-author.ts';
import { formatMessageId, parseMessageId } from '#shared/domain/message-id.ts';
import type { MessageQuery, MessageStore } from '#shared/ports/read-models.ts';
import { MOST_KEY_BYTES } from './chat-store-contract.ts';
import { waMessage } from './rows.ts';

const CHAT = '4915100000001@c.us';
const OTHER = '4915100000002@c.us';
const SENDER = '4915100000003@c.us';
const GROUP = '120363000000000001@g.us';
const LID = '77777777777@lid';

interface AuthorFields {
  readonly participant?: string;
  readonly fromMe?: boolean;
  readonly lid?: string;
}

/** Who writes in a chat; in a group, `participant`. */
function author(chatId: string, { participant, ...fields }: AuthorFields = {}): MessageAuthor {
  const found = authorOf(waMessage({ id: 'X', chatId, ...(participant !== undefined && { participant }) }));
  if (found === undefined) throw new Error(`${chatId} is no chat`);
  return { ...found, ...fields };
}

const THEM = author(CHAT);
const ME = author(CHAT, { fromMe: true });

function bareIdOf({ id }: WaMessage): string {
  return parseMessageId(id)?.id ?? '';
}

const page = (query: Partial<MessageQuery> = {}): MessageQuery => ({
  limit: 100,
  offset: 0,
  sortOrder: 'asc',
  ...query,
});

const media = (error: string | null) => ({ url: null, mimetype: 'image/png', filename: null, s3: null, error });

/** The most characters that WhatsApp's apps send, of three bytes each. */
function largest(character: string) {
  const body = character.repeat(65_536);
  return { body, content: Buffer.from(body).toString('base64') };
}

/** The largest message with the largest edits and reactions, and with those of strangers. */
export async function storeTheLargest(store: MessageStore): Promise<void> {
  const { body, content } = largest('漢');
  await store.add('alpha', waMessage({ id: 'AAAAA1', body, _data: { type: 'text', content } }), 1);
  await store.edit('alpha', 'AAAAA1', THEM, largest('字'), 1000);
  await store.edit('alpha', 'AAAAA1', THEM, largest('語'), 2000);
  for (const [index, by] of [THEM, ME].entries()) {
    await store.react('alpha', 'AAAAA1', by, `${index}`, '👍'.repeat(100_000), 3000);
  }
  for (let index = 0; index < 30; index += 1) {
    const by = author(GROUP, { participant: `49151${String(index).padStart(8, '0')}@c.us` });
    await store.edit('alpha', 'AAAAA1', by, largest('偽'), 9000);
    await store.react('alpha', 'AAAAA1', by, `${index}`, '👎'.repeat(100_000), 3000);
  }
  await store.raiseAck('alpha', 'AAAAA1', 3);
}

/** What every message store does. @param factory gives an empty store */
export function defineMessageStoreContract(name: string, factory: () => Promise<MessageStore>): void {
  describe(`${name}: a message store`, () => {
    let store: MessageStore;
    beforeEach(async () => {
      store = await factory();
    });

    const ids = async (query: Partial<MessageQuery>, session = 'alpha') =>
      (await store.query(session, page(query))).map((row) => row.id);

    it('gives back what was added', async () => {
      const message = waMessage({ id: 'AAAAA1' });
      await store.add('alpha', message, 1);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({
        session: 'alpha',
        chatId: CHAT,
        message,
        ack: 1,
        reactions: {},
      });
      expect(await store.get('beta', 'AAAAA1')).toBeUndefined();
      expect(await store.get('alpha', 'AAAAA2')).toBeUndefined();
    });

    it('raises the ack and never lowers it', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1', fromMe: true, ack: 0 }), 1);
      await store.raiseAck('alpha', 'AAAAA1', 3);
      await store.raiseAck('alpha', 'AAAAA1', 2);
      const row = await store.get('alpha', 'AAAAA1');
      expect(row).toMatchObject({ ack: 3, message: { ack: 3, ackName: 'READ' } });
    });

    it('shows a failure until a receipt proves the opposite', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1', fromMe: true, ack: 0 }), 1);
      await store.raiseAck('alpha', 'AAAAA1', -1);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({ ack: -1, message: { ackName: 'ERROR' } });
      await store.raiseAck('alpha', 'AAAAA1', 0);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({ ack: -1 });
      await store.raiseAck('alpha', 'AAAAA1', 1);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({ ack: 1 });
    });

    it('keeps what came before the message, and shows nothing until it comes', async () => {
      await store.raiseAck('alpha', 'AAAAA1', 2);
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '👍', 1000);
      await store.edit('alpha', 'AAAAA1', THEM, { body: 'edited', content: 'Y29udGVudA==' }, 5000);
      await store.revoke('alpha', 'AAAAA1', THEM, 6000);
      expect(await store.get('alpha', 'AAAAA1')).toBeUndefined();
      expect(await ids({})).toEqual([]);
      expect(await ids({ chatId: CHAT })).toEqual([]);

      await store.add('alpha', waMessage({ id: 'AAAAA1', ack: 1, _data: { type: 'text' } }), 1);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({
        ack: 2,
        reactions: { [SENDER]: '👍' },
        editedAt: 5000,
        revokedAt: 6000,
        message: { body: 'edited', _data: { type: 'text', content: 'Y29udGVudA==' } },
      });
      expect(await ids({ chatId: CHAT })).toEqual(['AAAAA1']);
    });

    it('adds a message again without losing anything', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      await store.edit('alpha', 'AAAAA1', THEM, { body: 'edited' }, 5000);
      await store.raiseAck('alpha', 'AAAAA1', 3);
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({ ack: 3, message: { body: 'edited' } });
    });

    it('keeps the newest edit and the first revocation', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      await store.edit('alpha', 'AAAAA1', THEM, { body: 'second' }, 2000);
      await store.edit('alpha', 'AAAAA1', THEM, { body: 'first' }, 1000);
      await store.revoke('alpha', 'AAAAA1', THEM, 4000);
      await store.revoke('alpha', 'AAAAA1', THEM, 3000);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({
        editedAt: 2000,
        revokedAt: 3000,
        message: { body: 'second' },
      });
    });

    it('shows the newest media in place of what the message came with, whichever comes first', async () => {
      await store.setMedia('alpha', 'AAAAA1', THEM, media('second'), 2000);
      expect(await store.get('alpha', 'AAAAA1')).toBeUndefined();
      await store.add('alpha', waMessage({ id: 'AAAAA1', media: media('first') }), 1);
      await store.setMedia('alpha', 'AAAAA1', THEM, media('late'), 1000);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({ message: { hasMedia: true, media: media('second') } });
      await store.setMedia('alpha', 'AAAAA1', THEM, media(null), 3000);
      expect(await store.query('alpha', page())).toMatchObject([{ message: { media: media(null) } }]);
    });

    it('keeps one reaction of each sender, and none that was taken back', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '👍', 1000);
      await store.react('alpha', 'AAAAA1', ME, OTHER, '🎉', 1000);
      expect((await store.get('alpha', 'AAAAA1'))?.reactions).toEqual({ [SENDER]: '👍', [OTHER]: '🎉' });
    });

    it('keeps the newest reaction of a sender, also when it was to take one back', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '👍', 1000);
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '', 3000);
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '🎉', 2000);
      expect((await store.get('alpha', 'AAAAA1'))?.reactions).toEqual({});
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '🎉', 4000);
      expect((await store.get('alpha', 'AAAAA1'))?.reactions).toEqual({ [SENDER]: '🎉' });
    });

    it('comes to the same end in any order when two happen at the same time', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      await store.add('alpha', waMessage({ id: 'AAAAA2' }), 1);
      for (const [id, texts] of [
        ['AAAAA1', ['a', 'b']],
        ['AAAAA2', ['b', 'a']],
      ] as const) {
        for (const text of texts) {
          await store.react('alpha', id, THEM, SENDER, text, 1000);
          await store.edit('alpha', id, THEM, { body: text }, 1000);
          await store.setMedia('alpha', id, THEM, media(text), 1000);
        }
        expect(await store.get('alpha', id)).toMatchObject({
          reactions: { [SENDER]: 'b' },
          message: { body: 'b', media: media('b') },
        });
      }
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
      expect(await ids({}, 'session-0')).toEqual([]);
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

    it('stores the largest message there is, and lets it be edited, reacted to and read', async () => {
      await storeTheLargest(store);
      const row = await store.get('alpha', 'AAAAA1');
      expect(row).toMatchObject({ ack: 3, editedAt: 2000, message: { _data: { type: 'text', omitted: true } } });
      expect(row?.message.body).toBe('語'.repeat(65_536));
      // That of before the edit would be forwarded for what it says now.
      expect(row?.message._data).not.toHaveProperty('content');
      expect(Object.keys(row?.reactions ?? {})).toEqual(['0', '1']);
      expect(row?.reactions[0]).toMatch(/^(?:👍){1,64}$/u);
      expect(await store.query('alpha', page())).toEqual([row]);
    });

    it('keeps the content of what is not that long', async () => {
      const body = '漢'.repeat(30_000);
      const content = Buffer.from(body).toString('base64');
      await store.add('alpha', waMessage({ id: 'AAAAA1', body, _data: { content } }), 1);
      expect((await store.get('alpha', 'AAAAA1'))?.message).toMatchObject({ body, _data: { content } });
      await store.edit('alpha', 'AAAAA1', THEM, { body: `${body}!`, content }, 1000);
      const { message } = (await store.get('alpha', 'AAAAA1')) ?? {};
      expect(message).toMatchObject({ body: `${body}!`, _data: { content } });
      expect(message?._data).not.toHaveProperty('omitted');
    });

    it('cuts what no app sends', async () => {
      const much = '漢'.repeat(300_000);
      const filename = { ...media(null), filename: much };
      const told = waMessage({ id: 'AAAAA1', body: much, media: filename, _data: { type: 'text', pushName: much } });
      await store.add('alpha', { ...told, vCards: [much, much], replyTo: { id: much, body: much } }, 1);
      await store.setMedia('alpha', 'AAAAA1', author(OTHER), filename, 1000);
      const row = await store.get('alpha', 'AAAAA1');
      expect(row).toMatchObject({ message: { vCards: [], replyTo: null, _data: { type: 'text', omitted: true } } });
      expect(row?.message.body).toMatch(/^漢{60000,}$/);
      await store.edit('alpha', 'AAAAA1', THEM, { body: much, content: much }, 2000);
      await store.setMedia('alpha', 'AAAAA1', THEM, filename, 2000);
      expect((await store.get('alpha', 'AAAAA1'))?.message.media?.filename).toMatch(/^漢{300,400}$/);
      expect((await store.get('alpha', 'AAAAA1'))?.message.body).toMatch(/^漢{60000,}$/);
    });

    it('keeps apart ids of every form and length', async () => {
      const chosen = [
        'A',
        'MY_OWN_ID',
        'AAAAA1#edit',
        'A'.repeat(300),
        '漢'.repeat(5000),
        `${'漢'.repeat(4999)}字`,
        ' ',
      ];
      for (const [index, id] of chosen.entries()) {
        await store.edit('alpha', id, THEM, { body: `edited ${index}` }, 5000);
        await store.raiseAck('alpha', id, 3);
        await store.add('alpha', { ...waMessage({ id }), id: formatMessageId({ ...THEM, id }) }, 1);
      }
      for (const [index, id] of chosen.entries()) {
        expect(await store.get('alpha', id)).toMatchObject({ ack: 3, message: { body: `edited ${index}` } });
      }
      const rows = await store.query('alpha', page());
      expect(rows).toHaveLength(chosen.length);
      for (const { position } of rows) expect(Buffer.byteLength(position)).toBeLessThan(MOST_KEY_BYTES);
    });

    it('gives a chat in the order of time, whatever order it came in', async () => {
      const times = [
        ['AAAAA3', 30],
        ['AAAAA1', 10],
        ['AAAAA2', 20],
        ['AAAAA4', 30],
      ] as const;
      for (const [id, timestamp] of times) await store.add('alpha', waMessage({ id, timestamp }), 1);
      await store.add('alpha', waMessage({ id: 'BBBBB1', chatId: OTHER, timestamp: 15 }), 1);
      await store.add('beta', waMessage({ id: 'CCCCC1', timestamp: 12 }), 1);
      expect(await ids({ chatId: CHAT })).toEqual(['AAAAA1', 'AAAAA2', 'AAAAA3', 'AAAAA4']);
      expect(await ids({ chatId: CHAT, sortOrder: 'desc' })).toEqual(['AAAAA4', 'AAAAA3', 'AAAAA2', 'AAAAA1']);
      expect(await ids({})).toEqual(['AAAAA1', 'BBBBB1', 'AAAAA2', 'AAAAA3', 'AAAAA4']);
      expect(await ids({}, 'beta')).toEqual(['CCCCC1']);
    });

    it('pages and filters', async () => {
      for (let index = 0; index < 9; index += 1) {
        await store.add(
          'alpha',
          waMessage({ id: `AAAAA${index}`, timestamp: index * 10, fromMe: index % 2 === 0, ack: 1 }),
          1,
        );
      }
      await store.raiseAck('alpha', 'AAAAA3', 3);
      expect(await ids({ chatId: CHAT, limit: 3, offset: 2 })).toEqual(['AAAAA2', 'AAAAA3', 'AAAAA4']);
      expect(await ids({ chatId: CHAT, limit: 3, offset: 8 })).toEqual(['AAAAA8']);
      expect(await ids({ chatId: CHAT, limit: 3, offset: 20 })).toEqual([]);
      expect(await ids({ chatId: CHAT, timestampFrom: 20, timestampTo: 40 })).toEqual(['AAAAA2', 'AAAAA3', 'AAAAA4']);
      expect(await ids({ chatId: CHAT, timestampFrom: 50, timestampTo: 40 })).toEqual([]);
      expect(await ids({ chatId: CHAT, fromMe: false, limit: 2, offset: 1 })).toEqual(['AAAAA3', 'AAAAA5']);
      expect(await ids({ chatId: CHAT, ack: 3 })).toEqual(['AAAAA3']);
    });

    it('clears one session, also of what has no message yet', async () => {
      for (let index = 0; index < 60; index += 1) await store.add('alpha', waMessage({ id: `AAAAA${index}` }), 1);
      await store.raiseAck('alpha', 'BBBBB1', 3);
      await store.add('beta', waMessage({ id: 'AAAAA1' }), 1);
      await store.clear('alpha');
      expect(await ids({})).toEqual([]);
      await store.add('alpha', waMessage({ id: 'BBBBB1', ack: 1 }), 1);
      expect(await store.get('alpha', 'BBBBB1')).toMatchObject({ ack: 1 });
      expect(await ids({}, 'beta')).toEqual(['AAAAA1']);
    });
  });
}
