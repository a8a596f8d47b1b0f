import { isSendCommand } from '#shared/contracts/commands.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import type { Me } from '#shared/contracts/session.ts';
import { isGroup, parseChatId } from '#shared/domain/chat-id.ts';
import { ACKS, ackName } from '#shared/domain/message-ack.ts';
import { formatMessageId } from '#shared/domain/message-id.ts';
import type { EngineEvent } from '../engines/engine.ts';

/**
 * Tells of a message that will never leave, as an ack of -1. Undefined for commands, which send no message. Whoever tells
 * it again tells it under the same event id: all of it is in the job's row.
 *
 * @param job as its row is since it has failed
 * @param me null when the session was never paired: then nobody is `from`
 */
export function failedSendEvent(job: JobRow, me: Me | null): EngineEvent | undefined {
  if (!isSendCommand(job.command) || job.messageId === undefined) return undefined;
  const chatId = parseChatId(job.command.chatId);
  if (chatId === undefined) return undefined;
  const participant = isGroup(chatId) && me !== null ? parseChatId(me.id) : undefined;
  const id = formatMessageId({ fromMe: true, chatId, id: job.messageId, ...(participant && { participant }) });
  return {
    body: {
      event: isGroup(chatId) ? 'message.ack.group' : 'message.ack',
      payload: {
        id,
        from: me?.id ?? '',
        to: chatId,
        participant: participant ?? null,
        fromMe: true,
        ack: ACKS.ERROR,
        ackName: ackName(ACKS.ERROR),
        _data: { jobId: job.jobId, error: job.error },
      },
    },
    key: `${id}:${ACKS.ERROR}`,
    timestamp: job.updatedAt,
    traceparent: job.traceparent,
  };
}
