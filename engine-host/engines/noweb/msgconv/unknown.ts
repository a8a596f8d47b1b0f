import type { proto } from '@whiskeysockets/baileys';
import type { ContentReader } from './content.ts';
import { readText } from './text.ts';

/** What tells a person nothing: keys, what devices tell each other, and deeds at other messages or calls. */
const SILENT: ReadonlySet<string> = new Set<keyof proto.IMessage>([
  'messageContextInfo',
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
  'deviceSentMessage',
  'protocolMessage',
  'stickerSyncRmrMessage',
  'messageHistoryBundle',
  'messageHistoryNotice',
  'chat',
  'call',
  'callLogMesssage',
  'reactionMessage',
  'pollUpdateMessage',
  'encEventResponseMessage',
  'pinInChatMessage',
  'keepInChatMessage',
]);

/** What somebody sent and no other reader knows: that it came, and what of it is text. */
export const readUnknown: ContentReader = (message) => {
  const parts: readonly (readonly [string, unknown])[] = Object.entries(message);
  const says = parts.some(([name, part]) => part !== null && part !== undefined && part !== '' && !SILENT.has(name));
  return says ? { type: 'unknown', body: textOf(message), context: contextOf(message) } : undefined;
};

function textOf(message: proto.IMessage): string {
  return lines(
    message.orderMessage?.message || message.orderMessage?.orderTitle,
    message.productMessage?.product?.title || message.productMessage?.catalog?.title,
    message.productMessage?.body,
    noteOf(message.sendPaymentMessage),
    noteOf(message.requestPaymentMessage),
    message.invoiceMessage?.note,
    message.scheduledCallCreationMessage?.title,
    message.bcallMessage?.caption,
    message.newsletterAdminInviteMessage?.caption || message.newsletterAdminInviteMessage?.newsletterName,
    message.newsletterFollowerInviteMessageV2?.caption || message.newsletterFollowerInviteMessageV2?.newsletterName,
    message.stickerPackMessage?.caption || message.stickerPackMessage?.name,
    message.pollResultSnapshotMessage?.name || message.pollResultSnapshotMessageV3?.name,
    message.questionResponseMessage?.text,
    message.statusQuestionAnswerMessage?.text,
    message.statusQuotedMessage?.text,
    message.highlyStructuredMessage?.hydratedHsm?.hydratedTemplate?.hydratedContentText,
    ...(message.richResponseMessage?.submessages ?? []).map(({ messageText }) => messageText),
  );
}

function contextOf(message: proto.IMessage): proto.IContextInfo | null | undefined {
  return (
    message.orderMessage?.contextInfo ??
    message.productMessage?.contextInfo ??
    message.newsletterAdminInviteMessage?.contextInfo ??
    message.newsletterFollowerInviteMessageV2?.contextInfo ??
    message.stickerPackMessage?.contextInfo ??
    message.albumMessage?.contextInfo ??
    message.requestPhoneNumberMessage?.contextInfo ??
    message.pollResultSnapshotMessage?.contextInfo ??
    message.pollResultSnapshotMessageV3?.contextInfo ??
    message.richResponseMessage?.contextInfo
  );
}

/** What somebody wrote with a payment, or with the wish for one. */
function noteOf(payment: { readonly noteMessage?: proto.IMessage | null } | null | undefined): string | undefined {
  return payment?.noteMessage ? readText(payment.noteMessage)?.body : undefined;
}

function lines(...texts: readonly (string | null | undefined)[]): string {
  return texts.filter((text) => text).join('\n');
}
