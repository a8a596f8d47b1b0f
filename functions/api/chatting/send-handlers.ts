import type { chattingOperations } from '#shared/contracts/api/chatting.ts';
import type { NamedMessage } from '#shared/contracts/api/fields.ts';
import type { Operation } from '#shared/contracts/api/operation.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { ChatId } from '#shared/domain/chat-id.ts';
import type { ChattingDeps } from '../deps.ts';
import { json, type Reply } from '../reply.ts';
import type { ApiHandler, ApiHandlers } from '../request.ts';
import { idempotencyKey, preferredWaitMs } from '../request-headers.ts';
import { findSession } from '../use-cases/find-session.ts';
import { findQuoted } from '../use-cases/message-references.ts';
import { sentMessageView } from '../use-cases/message-view.ts';
import { mediaDraft } from '../use-cases/outgoing-media.ts';
import { type Draft, sendMessage } from '../use-cases/send-message.ts';
import { contactVcard } from './contact-vcard.ts';
import { assertPlayable } from './playable.ts';

type SendId =
  | 'sendText'
  | 'sendTextByQuery'
  | 'reply'
  | 'sendImage'
  | 'sendFile'
  | 'sendVoice'
  | 'sendVideo'
  | 'sendLocation'
  | 'sendContactVcard'
  | 'sendPoll';
type Table = Pick<typeof chattingOperations, SendId>;
type TextHandler = ApiHandler<Table['sendText'] | Table['reply']>;

interface Addressed {
  readonly session: string;
  readonly chatId: ChatId;
  readonly id?: string | null | undefined;
  readonly reply_to?: NamedMessage | null | undefined;
}

/** New messages: each handler turns its body into a draft. */
export function createSendHandlers(deps: ChattingDeps): ApiHandlers<Table> {
  const send = async (
    request: { readonly operation: Operation; readonly headers: Readonly<Record<string, string>> },
    to: Addressed,
    draft: (base: Base) => Draft,
  ): Promise<Reply> => {
    const key = idempotencyKey(request.headers);
    const session: SessionRow = await findSession(deps, request.operation, to.session);
    const quoted = await findQuoted(deps, session.name, to.reply_to, to.chatId);
    const options = { presetId: to.id, idempotencyKey: key, waitMs: preferredWaitMs(request.headers) };
    const { job, command } = await sendMessage(deps, session, draft({ chatId: to.chatId, ...quoted }), options);
    return json(sentMessageView(job, command, session));
  };
  const sendText: TextHandler = (request) => {
    const { text, mentions } = request.body;
    return send(request, request.body, (base) => ({
      command: { type: 'sendText', ...base, ...mentioned(mentions), text },
    }));
  };
  return {
    sendText,
    reply: sendText,
    sendTextByQuery: (request) => {
      const { session, phone, text } = request.query;
      return send(request, { session, chatId: phone }, (base) => ({ command: { type: 'sendText', ...base, text } }));
    },
    sendImage: (request) => {
      const { file, caption, mentions } = request.body;
      const extra = { ...mentioned(mentions), ...known('caption', caption) };
      return send(request, request.body, (base) =>
        mediaDraft(deps, {
          send: 'sendImage',
          file,
          commandWith: (media) => ({ type: 'sendImage', ...base, ...extra, media }),
        }),
      );
    },
    sendFile: (request) => {
      const { file, caption, mentions } = request.body;
      const extra = { ...mentioned(mentions), ...known('caption', caption) };
      return send(request, request.body, (base) =>
        mediaDraft(deps, {
          send: 'sendFile',
          file,
          commandWith: (media) => ({ type: 'sendFile', ...base, ...extra, media }),
        }),
      );
    },
    sendVoice: async (request) => {
      const { file, convert } = request.body;
      assertPlayable('voice', file, convert);
      return send(request, request.body, (base) =>
        mediaDraft(deps, {
          send: 'sendVoice',
          file,
          commandWith: (media) => ({ type: 'sendVoice', ...base, media }),
        }),
      );
    },
    sendVideo: async (request) => {
      const { file, caption, mentions, asNote, convert } = request.body;
      assertPlayable('video', file, convert);
      const extra = { ...mentioned(mentions), ...known('caption', caption), ...known('asNote', asNote) };
      return send(request, request.body, (base) =>
        mediaDraft(deps, {
          send: 'sendVideo',
          file,
          commandWith: (media) => ({ type: 'sendVideo', ...base, ...extra, media }),
        }),
      );
    },
    sendLocation: (request) => {
      const { latitude, longitude, title } = request.body;
      return send(request, request.body, (base) => ({
        command: { type: 'sendLocation', ...base, latitude, longitude, ...known('title', title) },
      }));
    },
    sendContactVcard: (request) =>
      send(request, request.body, (base) => ({
        command: { type: 'sendContactVcard', ...base, contacts: request.body.contacts.map(contactVcard) },
      })),
    sendPoll: (request) => {
      const { name, options, multipleAnswers } = request.body.poll;
      return send(request, request.body, (base) => ({
        command: { type: 'sendPoll', ...base, name, options, multipleAnswers: multipleAnswers ?? false },
      }));
    },
  };
}

type Base = { readonly chatId: ChatId } & Awaited<ReturnType<typeof findQuoted>>;

function mentioned(mentions: readonly (ChatId | 'all')[] | null | undefined): { mentions?: (ChatId | 'all')[] } {
  return mentions?.length ? { mentions: [...mentions] } : {};
}

/** The field, if the client gave it. */
function known<K extends string, V>(name: K, value: V | null | undefined): { [P in K]?: V } {
  const field: { [P in K]?: V } = {};
  if (value !== null && value !== undefined) field[name] = value;
  return field;
}
