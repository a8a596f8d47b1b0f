import { describe, expect, it } from 'vitest';
import { createUnpackEvent } from '#shared/adapters/event-detail.ts';
import { MemoryChatStore } from '#shared/adapters/memory/memory-chat-store.ts';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { MemoryMessageStore } from '#shared/adapters/memory/memory-message-store.ts';
import type { WaMessage } from '#shared/contracts/message.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { createLogger, tag } from '#shared/observability/logger.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { LogLines } from '#test/support/log-lines.ts';
import { sqsEvent } from '#test/support/sqs-event.ts';
import { createEventProjectorHandler } from './handler.ts';

class FailingMessageStore extends MemoryMessageStore {
  readonly #failing: string;
  constructor(failing: string) {
    super();
    this.#failing = failing;
  }
  override async add(session: string, message: WaMessage, seq: number): Promise<void> {
    if (message.id.includes(this.#failing)) throw new DependencyError('The table is away');
    await super.add(session, message, seq);
  }
}

function setUp(failing = 'none', level = 'info') {
  const destination = new LogLines();
  const messages = new FailingMessageStore(failing);
  const media = new MemoryMediaStore();
  const logger = createLogger({ name: 'test', level, destination });
  const chats = new MemoryChatStore();
  const handler = createEventProjectorHandler({ messages, chats, unpackEvent: createUnpackEvent(media), logger });
  return { handler, messages, media, lines: destination.texts, logged: destination };
}

const busEvent = (type: string, detail: unknown) =>
  JSON.stringify({ version: '0', id: 'x', source: 'trunkline', 'detail-type': type, detail });
const added = (id: string) =>
  busEvent('message.any', eventEnvelope({ event: 'message.any', payload: waMessage({ id, body: 'secret text' }) }));
const all = { limit: 100, offset: 0, sortOrder: 'asc' } as const;

describe('event projector', () => {
  it('projects a batch and reports no failures', async () => {
    const { handler, messages } = setUp();
    expect(await handler(sqsEvent([added('AAAAA1'), added('AAAAA2')]))).toEqual({ batchItemFailures: [] });
    expect((await messages.query('alpha', all)).map(({ id }) => id)).toEqual(['AAAAA1', 'AAAAA2']);
  });

  it('fetches events that are too large for the bus', async () => {
    const { handler, messages, media } = setUp();
    const event = eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1' }) });
    await media.put('events/alpha/evt_1.json', Buffer.from(JSON.stringify(event)), 'application/json');
    const detail = { id: event.id, session: 'alpha', s3: { Bucket: media.bucket, Key: 'events/alpha/evt_1.json' } };
    expect(await handler(sqsEvent([busEvent('message.any', detail)]))).toEqual({ batchItemFailures: [] });
    expect(await messages.get('alpha', 'AAAAA1')).toBeDefined();
  });

  it('ignores events that no read model needs, known or not', async () => {
    const { handler } = setUp();
    const status = eventEnvelope({
      event: 'session.status',
      payload: { name: 'alpha', status: 'WORKING', statuses: [], data: null },
    });
    const answer = await handler(sqsEvent([busEvent('session.status', status), busEvent('of.the.future', { a: 1 })]));
    expect(answer).toEqual({ batchItemFailures: [] });
  });

  it('reports what cannot be read, and logs it without its content', async () => {
    const { handler, lines, messages } = setUp();
    const missing = { id: 'e', session: 'alpha', s3: { Bucket: 'b', Key: 'events/alpha/none.json' } };
    const poison = [
      'secret text, no JSON',
      busEvent('message.any', { body: 'secret text' }),
      busEvent('message.any', missing),
    ];
    const answer = await handler(sqsEvent([...poison, added('AAAAA1')]));
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['m0', 'm1', 'm2']);
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain('secret');
    expect(await messages.get('alpha', 'AAAAA1')).toBeDefined();
  });

  it('says which event a line is about', async () => {
    const { handler, logged } = setUp('AAAAA2', 'debug');
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const event = (id: string) =>
      busEvent(
        'message.any',
        eventEnvelope({ event: 'message.any', payload: waMessage({ id }) }, { id: `evt_${id}`, traceparent }),
      );
    await handler(sqsEvent([event('AAAAA1'), event('AAAAA2')]));
    const known = { type: 'message.any', traceparent, session: tag('alpha') };
    expect(logged.parsed).toMatchObject([
      { ...known, level: 'debug', msg: 'event projected', event: 'evt_AAAAA1' },
      { ...known, level: 'warn', msg: 'event not projected', event: 'evt_AAAAA2' },
    ]);
  });

  it('reports what could not be written, for a second try, and logs no names', async () => {
    const { handler, lines, messages } = setUp('AAAAA2');
    const answer = await handler(sqsEvent([added('AAAAA1'), added('AAAAA2'), added('AAAAA2'), added('AAAAA3')]));
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }, { itemIdentifier: 'm2' }] });
    expect((await messages.query('alpha', all)).map(({ id }) => id)).toEqual(['AAAAA1', 'AAAAA3']);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      name: 'test',
      msg: 'event not projected',
      sqsMessageId: 'm1',
      err: { type: 'DependencyError', code: 'dependency', retryable: true },
    });
    expect(lines.join('')).not.toMatch(/alpha|AAAAA2|4915/);
  });
});
