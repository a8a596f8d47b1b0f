import { describe, expect, test } from 'vitest';
import { isIgnoredChat } from './ignored-chats.ts';

const CHATS = ['4915100000001@c.us', '1203630001@g.us', '1203630002@newsletter', '17@broadcast', 'status@broadcast'];

describe('ignored chats', () => {
  test.each([
    [{}, []],
    [undefined, []],
    [{ groups: true }, ['1203630001@g.us']],
    [{ channels: true }, ['1203630002@newsletter']],
    [{ broadcast: true }, ['17@broadcast']],
    [{ status: true }, ['status@broadcast']],
    [{ groups: null, status: false }, []],
  ])('with %o', (kinds, expected) => {
    expect(CHATS.filter((chat) => isIgnoredChat(kinds, chat))).toEqual(expected);
  });
});
