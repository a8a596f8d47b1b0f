import { describe, expect, it } from 'vitest';
import { commandSchema } from '#shared/contracts/commands.ts';
import { eventEnvelopeSchema } from '#shared/contracts/events.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { jobRow } from '../sessions/row-fixtures.ts';
import { failedSendEvent } from './failed-send-event.ts';

const ME = { id: '4915112345678@c.us', pushName: null, lid: null, jid: null };
const ERROR = { code: 'nack-463', message: 'WhatsApp refused it' };
const GROUP = commandSchema.parse({ type: 'sendText', chatId: '120363000000000001@g.us', text: 'hello' });
const failed = (changes: Parameters<typeof jobRow>[0] = {}) =>
  jobRow({ state: 'FAILED', error: ERROR, updatedAt: 5, ...changes });

describe('the event of a failed send', () => {
  it.each([
    ['message.ack', {}],
    ['message.ack.group', { command: GROUP }],
  ])('names the job and says why, as the job does: %s', (event, changes) => {
    const told = failedSendEvent(failed(changes), ME);
    expect(told?.body).toMatchObject({ event, payload: { ack: -1, _data: { jobId: 'job-1', error: ERROR } } });
    const read = told && eventEnvelopeSchema.parse(eventEnvelope(told.body));
    expect(read?.payload).toEqual(told?.body.payload);
  });

  it('is the same whoever tells it, and whenever', () => {
    expect(failedSendEvent(failed({ attempts: 3, wakes: 2, epoch: 7 }), ME)).toEqual(failedSendEvent(failed(), ME));
  });
});
