import { describe, expect, test } from 'vitest';
import { ignored } from './socket-config.ts';

const CHATS = [
  '4915100000001@s.whatsapp.net',
  '1203630001@g.us',
  '1203630002@newsletter',
  '17@broadcast',
  'status@broadcast',
];

describe('ignored chats', () => {
  test.each([
    [{}, []],
    [{ groups: true }, ['1203630001@g.us']],
    [{ channels: true }, ['1203630002@newsletter']],
    [{ broadcast: true }, ['17@broadcast']],
    [{ status: true }, ['status@broadcast']],
    [{ groups: null, status: false }, []],
  ])('with %o', (ignore, expected) => {
    expect(CHATS.filter((chat) => ignored({ ignore })(chat))).toEqual(expected);
  });
});
