import type { DownloadableMessage, MediaType, proto } from '@whiskeysockets/baileys';
import type { WaMessage } from '#shared/contracts/message.ts';

/** Media inside a received message, not downloaded yet. */
export interface MediaContent {
  /** What the decryption keys are derived for. */
  readonly kind: MediaType;
  readonly source: DownloadableMessage;
  readonly mimetype: string;
  readonly filename: string | null;
  /** As the sender says. */
  readonly bytes: number;
}

/** What a message says, whatever it is wrapped in. */
export interface MessageContent {
  /** Kind of message: `text`, `image`, `poll`…, and `unknown` for what no reader knows. */
  readonly type: string;
  /** Text or caption; empty where there is none. */
  readonly body: string;
  readonly context: proto.IContextInfo | null | undefined;
  readonly media?: MediaContent;
  readonly location?: WaMessage['location'];
  readonly vCards?: readonly string[];
}

/** One kind of message: gives its content, or undefined when the message is of another kind. */
export type ContentReader = (message: proto.IMessage) => MessageContent | undefined;

type Count = number | { toNumber(): number } | null | undefined;

/** Protobuf's 64-bit numbers come as numbers or as Long objects. */
export function toNumber(value: Count): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'number' ? value : value.toNumber();
}
