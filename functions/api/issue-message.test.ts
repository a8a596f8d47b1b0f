import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { TestApi } from './test-support/test-api.ts';

const answered = z.object({ issues: z.array(z.object({ path: z.string(), message: z.string() })) });

async function issues(method: string, url: string, body?: unknown) {
  const answer = await new TestApi().call(method, url, body === undefined ? {} : { body });
  expect(answer.status, answer.text).toBe(400);
  return answered.parse(answer.json).issues.map(({ path, message }) => `${path} ${message}`);
}

describe('what is wrong with a request', () => {
  const to = { session: 'main', chatId: '491511234567@c.us' };
  const url = 'https://example.com/x';
  it.each<[string, unknown, string[]]>([
    ['/api/sendText', {}, ['chatId is required', 'text is required']],
    ['/api/sendText', { ...to, text: 5 }, ['text must be a string']],
    ['/api/sendText', { ...to, text: '' }, ['text must not be empty']],
    ['/api/sendText', { ...to, text: 'x', linkPreview: 'yes' }, ['linkPreview must be true or false']],
    ['/api/sendText', { ...to, text: 'x', mentions: 'all' }, ['mentions must be a list']],
    ['/api/sendText', [], ['body must be an object']],
    ['/api/sendText', { ...to, chatId: 'x'.repeat(101), text: 'x' }, ['chatId must have at most 100 characters']],
    ['/api/sendImage', to, ['file is required']],
    ['/api/sendLocation', { ...to, latitude: 91, longitude: 1 }, ['latitude must be at most 90']],
    ['/api/sendLocation', { ...to, latitude: true, longitude: 1 }, ['latitude must be a number or a string']],
    ['/api/sendLocation', { ...to, longitude: 1 }, ['latitude is required']],
    ['/api/sendPoll', { ...to, poll: { name: 'q', options: ['a'] } }, ['poll.options must have at least 2 items']],
    ['/api/sendContactVcard', { ...to, contacts: [{}] }, ['contacts.0 has none of the forms that are accepted here']],
    ['/api/sessions', { config: { webhooks: [{ url: 'x', events: [] }] } }, ['config.webhooks.0.url must be a URL']],
    [
      '/api/sessions',
      { config: { webhooks: [{ url, events: [], retries: { policy: 'never' } }] } },
      ['config.webhooks.0.retries.policy must be one of "constant", "linear", "exponential"'],
    ],
  ])('POST %s %j: %j', async (path, body, expected) => {
    expect(await issues('POST', path, body)).toEqual(expected);
  });

  it.each([
    ['/api/messages?session=main', 'query.chatId is required'],
    ['/api/main/chats?limit=x', 'query.limit must be a number'],
    ['/api/main/chats?limit=1.5', 'query.limit must be a whole number'],
    ['/api/main/chats?limit=0', 'query.limit must be at least 1'],
    ['/api/main/chats?sortOrder=up', 'query.sortOrder must be one of "asc", "desc"'],
    ['/api/main/chats?merge=perhaps', 'query.merge must be one of "true", "1", "false", "0"'],
  ])('GET %s: %s', async (url, expected) => {
    expect(await issues('GET', url)).toEqual([expected]);
  });
});
