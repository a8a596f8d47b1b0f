import { describe, expect, it } from 'vitest';
import { authorOf, isSameAuthor } from './message-author.ts';

function authorIn(chatId: string, participant?: string, lid?: string) {
  const author = authorOf({ id: `false_${chatId}_X${participant ? `_${participant}` : ''}`, _data: { lid } });
  if (author === undefined) throw new Error(`${chatId} is no chat`);
  return author;
}

const GROUP = '120363000000000001@g.us';
const ANN = '4915100000001@c.us';
const ANN_LID = '77777777771@lid';

describe('isSameAuthor', () => {
  it('knows a person in a group by number or LID', () => {
    expect(isSameAuthor(authorIn(GROUP, ANN, ANN_LID), authorIn(GROUP, ANN_LID))).toBe(true);
    expect(isSameAuthor(authorIn(GROUP, ANN), authorIn(GROUP, '4915100000002@c.us'))).toBe(false);
  });

  it('takes a channel for one author', () => {
    const channel = '120363000000000002@newsletter';
    expect(isSameAuthor(authorIn(channel), authorIn(channel))).toBe(true);
    expect(isSameAuthor(authorIn(channel), authorIn('120363000000000003@newsletter'))).toBe(false);
  });

  it.each([GROUP, 'status@broadcast', '17@broadcast'])('takes two who are not named in %s for two', (chatId) => {
    expect(isSameAuthor(authorIn(chatId), authorIn(chatId))).toBe(false);
    expect(isSameAuthor(authorIn(chatId), authorIn(chatId, ANN))).toBe(false);
  });
});
