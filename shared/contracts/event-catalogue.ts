import * as z from 'zod';
import { EVENT_SCHEMA_VERSION, type EventName, eventEnvelopeSchema, eventReferenceSchema } from './events.ts';
import { WEBHOOK_DISABLED, webhookDisabledSchema } from './webhook-notices.ts';

/** What each event tells, in a sentence. */
const EVENT_MEANINGS: Readonly<Record<EventName, string>> = {
  'session.status': 'A session has another status; `statuses` has the last three, `data` what belongs to this one.',
  message: 'A message came in.',
  'message.any': 'A message came in or was sent, by the API or on the phone.',
  'message.reaction': 'Somebody reacted to a message, or took the reaction back (`text` is empty).',
  'message.ack': 'What was sent to one person has come further: server, device, read, played, or failed (−1).',
  'message.ack.group':
    'The same for one participant of a group or of a status; server and failed are those of the account itself.',
  'message.waiting': 'A message came in that cannot be read yet; its sender was asked to send it again.',
  'message.revoked': 'A message was deleted for everybody.',
  'message.edited': 'A message has another text.',
  'message.media':
    'Media that was missing when its message was told of is stored now: somebody has asked for it. Ours, WAHA has no such event.',
  'group.v2.join': 'The account is in a group that it was not in before.',
  'group.v2.leave': 'The account is no longer in a group.',
  'group.v2.update': 'A group has another subject, description or setting; `group` has what has changed.',
  'group.v2.participants': 'Members of a group came, went, or have another role.',
  'presence.update':
    'Somebody is online, types, records, or is gone, as far as WhatsApp tells by itself: no operation subscribes to a chat yet. Not kept if a host dies.',
  'poll.vote': 'Somebody voted on a poll of the account or in one of its chats; the whole selection each time.',
  'poll.vote.failed': 'Somebody voted, and the vote cannot be read: the poll is unknown, or its secret is another.',
  'event.response': 'Somebody answered a calendar event: comes, does not, or perhaps; the latest answer counts.',
  'event.response.failed':
    'Somebody answered a calendar event, and the answer cannot be read: the event is unknown, or its secret is another.',
  'chat.archive': 'The owner archived a chat or brought it back, on the phone.',
  'label.upsert': 'A label is new or has another name or colour; when a device is linked, each label there is.',
  'label.deleted': 'A label was deleted.',
  'label.chat.added': 'A chat was given a label; when a device is linked, each that has one.',
  'label.chat.deleted': 'A label was taken off a chat.',
  'call.received': 'Somebody calls.',
  'call.accepted': 'A call was taken on another device.',
  'call.rejected': 'A call was rejected, missed or ended.',
  'engine.event':
    'What the library behind the engine says, as it says it. Only for sessions with `debug` or a webhook that names it; not kept if a host dies, and left out where there is too much of it.',
};

/** Stands in the catalogue for the detail of any event that is too large for the bus. */
export const REFERENCE = 'reference';

/** What each form of a detail tells: of events by their `detail-type`, then those that are no envelope. */
export const DETAIL_MEANINGS: Readonly<Record<string, string>> = {
  ...EVENT_MEANINGS,
  [WEBHOOK_DISABLED]:
    'A webhook gets nothing any more, as its receiver answered 410. Its `source` is `trunkline.control`; there is no webhook and no stream of it.',
  [REFERENCE]: 'No `detail-type`: what any event has as its detail on the bus if it has more than 200 KB.',
};

function formOf(name: string): z.ZodObject {
  if (name === WEBHOOK_DISABLED) return webhookDisabledSchema;
  if (name === REFERENCE) return eventReferenceSchema;
  const option = eventEnvelopeSchema.options.find(({ shape }) => shape.event.safeParse(name).success);
  if (option === undefined) throw new Error(`The contracts have no event ${name}`);
  return z.object({ ...option.shape, event: z.literal(name) });
}

/**
 * JSON schema (2020-12) of a bus entry's detail, by its name in `DETAIL_MEANINGS`. It accepts what may be added under the
 * same version: objects have further properties.
 */
export function detailSchema(name: string): object {
  const schema = formOf(name)
    .extend({ schemaVersion: z.literal(EVENT_SCHEMA_VERSION) })
    .meta({ title: name, description: DETAIL_MEANINGS[name] });
  return z.toJSONSchema(schema, {
    io: 'output',
    reused: 'inline',
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
}
