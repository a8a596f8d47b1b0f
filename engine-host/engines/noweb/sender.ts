import {
  type AnyMessageContent,
  type BinaryNode,
  generateWAMessage,
  jidDecode,
  jidNormalizedUser,
  proto,
  type WAMessage,
  type WASocket,
} from '@whiskeysockets/baileys';
import { type ChatId, chatIdToJid, takesMessages } from '#shared/domain/chat-id.ts';
import { unlessAborted } from '#shared/domain/unless-aborted.ts';
import type { CommandOutcome, EngineContext, FrozenContent, JobContext } from '../engine.ts';
import type { LiveAccount } from './handlers/handler-context.ts';
import { outcomeOfFailure } from './handlers/outcome-of-failure.ts';
import type { Proofs } from './proofs.ts';
import { quietLogger } from './quiet-logger.ts';
import type { Resends } from './resends.ts';
import type { ServerAcks, ServerAnswer } from './server-acks.ts';

/** What goes into a message, in Baileys' terms. */
export interface Draft {
  readonly content: AnyMessageContent;
  readonly quoted?: WAMessage;
  readonly wire?: Readonly<Record<string, string>>;
  /** Called when the message is built, or cannot be: its media is with WhatsApp then. */
  readonly built?: () => void;
}

export interface SenderPorts {
  readonly context: Pick<EngineContext, 'assertOwned' | 'clock'>;
  readonly acks: ServerAcks;
  readonly resends: Pick<Resends, 'leaving'>;
  readonly ackTimeoutMs: number;
  /** The account once it is connected; waits for the end of a short drop, not for a pairing or a long one. */
  mended(): Promise<LiveAccount | undefined>;
  readonly proofs: Pick<Proofs, 'provenAt' | 'leaving'>;
  /** A message of ours has been taken by the server. Resolves when that would survive the host. @throws NotOwnerError */
  sent(message: SentMessage): Promise<void>;
}

export interface SentMessage {
  readonly id: string;
  readonly jid: string;
  /** Seconds. */
  readonly timestamp: number;
  readonly content: Uint8Array;
  /** Of its job. */
  readonly traceparent: string | undefined;
}

export const NOT_CONNECTED: CommandOutcome = { kind: 'retry', reason: 'not-connected', afterSeconds: 2 };

/** An upload that moves nothing for so long has failed. Baileys would wait for ever. */
const UPLOAD_SILENCE_MS = 30_000;

/** Sends: content is frozen before the first try, and only the server's answer ends a try. */
export class Sender {
  readonly #ports: SenderPorts;
  /** Messages that tries are putting on the wire of a connection, perhaps still when the next try of the job has begun. */
  readonly #leaving = new WeakMap<WASocket, Set<string>>();

  constructor(ports: SenderPorts) {
    this.#ports = ports;
  }

  /** @param draft is asked for only when no earlier try has frozen the content */
  async send(chatId: ChatId, job: JobContext, draft: (live: LiveAccount) => Promise<Draft>): Promise<CommandOutcome> {
    const live = await this.#ports.mended();
    if (!live) return NOT_CONNECTED;
    try {
      const jid = chatIdToJid(chatId);
      // Of an earlier try, whose message may have left. A client may have given its id to another message as well.
      const { frozen: earlier } = job;
      const proven = await this.#proven(jid, job, earlier);
      if (proven) return proven;
      this.#ports.context.assertOwned();
      if (!takesMessages(chatId)) return NOBODY;
      const known = await isKnown(live, jid);
      if (known === 'no') return UNKNOWN_RECIPIENT;
      if (known === 'unclear') return { kind: 'retry', reason: 'no-answer', afterSeconds: 2 };
      // A receipt may have come since, which is some round trips.
      const meanwhile = this.#proven(jid, job, earlier);
      if (meanwhile) return await meanwhile;
      const frozen = earlier ?? (await job.freeze(await this.#build(live, jid, job, draft)));
      return await this.#put(live, jid, job, frozen);
    } catch (error) {
      return outcomeOfFailure(error);
    }
  }

  /** Undefined when nothing proves that WhatsApp has the message. */
  #proven(jid: string, job: JobContext, earlier: FrozenContent | undefined): Promise<CommandOutcome> | undefined {
    const provenAt = earlier && this.#ports.proofs.provenAt(job.messageId);
    return earlier && provenAt ? this.#sent(jid, job, earlier.content, provenAt) : undefined;
  }

  async #build(
    live: LiveAccount,
    jid: string,
    job: JobContext,
    draft: (live: LiveAccount) => Promise<Draft>,
  ): Promise<FrozenContent> {
    const { content, quoted, wire, built } = await draft(live);
    const made = generateWAMessage(jid, content, {
      userJid: live.meJid,
      messageId: job.messageId,
      timestamp: new Date(this.#ports.context.clock.now()),
      upload: live.sock.waUploadToServer,
      mediaUploadTimeoutMs: UPLOAD_SILENCE_MS,
      logger: quietLogger,
      ...(quoted ? { quoted } : {}),
    });
    // An upload whose answer breaks off never ends.
    const message = await unlessAborted(made, job.signal).finally(built);
    const bytes = proto.Message.encode(message.message ?? {}).finish();
    return wire ? { content: bytes, wire } : { content: bytes };
  }

  async #put(
    { sock, keys }: LiveAccount,
    jid: string,
    job: JobContext,
    frozen: FrozenContent,
  ): Promise<CommandOutcome> {
    const message = proto.Message.decode(frozen.content);
    const { acks, resends, proofs, ackTimeoutMs, context } = this.#ports;
    job.signal.throwIfAborted();
    const leaving = this.#leaving.get(sock) ?? new Set();
    if (leaving.has(job.messageId)) return { kind: 'retry', reason: 'leaving', afterSeconds: 2 };
    context.assertOwned();
    this.#leaving.set(sock, leaving.add(job.messageId));
    proofs.leaving(job.messageId, job.traceparent);
    resends.leaving(jid, job.messageId, frozen.content);
    const answer = acks.expect(job.messageId, ackTimeoutMs);
    try {
      const confirm = await keys.groupMemory.during(keys.forBaileys, jid, () =>
        sock.relayMessage(jid, message, {
          messageId: job.messageId,
          additionalAttributes: { ...frozen.wire },
          additionalNodes: nodesFor(message),
        }),
      );
      const given = await answer;
      if (given.kind === 'ack') await confirm();
      return await this.#conclude(given, jid, job, frozen.content);
    } catch (error) {
      acks.forget(job.messageId);
      throw error;
    } finally {
      leaving.delete(job.messageId);
    }
  }

  async #conclude(answer: ServerAnswer, jid: string, job: JobContext, content: Uint8Array): Promise<CommandOutcome> {
    switch (answer.kind) {
      case 'ack':
        return this.#sent(jid, job, content, answer.timestamp);
      case 'nack':
        return {
          kind: 'rejected',
          code: `nack-${answer.code}`,
          message: `WhatsApp refused the message (code ${answer.code})`,
        };
      case 'lost':
        return { kind: 'retry', reason: 'connection-lost', afterSeconds: 1 };
      case 'timeout':
        return { kind: 'retry', reason: 'ack-timeout', afterSeconds: 1 };
    }
  }

  async #sent(jid: string, job: JobContext, content: Uint8Array, timestamp: number): Promise<CommandOutcome> {
    const { messageId: id, traceparent } = job;
    await this.#ports.sent({ id, jid, timestamp, content, traceparent });
    return { kind: 'sent', timestamp };
  }
}

const NOBODY: CommandOutcome = {
  kind: 'rejected',
  code: 'not-a-recipient',
  message: 'Nobody reads what is sent to WhatsApp itself',
};

const UNKNOWN_RECIPIENT: CommandOutcome = {
  kind: 'rejected',
  code: 'not-on-whatsapp',
  message: 'This phone number is not registered on WhatsApp',
};

/**
 * Whether a direct chat's other side is on WhatsApp. Without a device of its own, Baileys would send the message to our
 * devices only, and the server would acknowledge that. Costs nothing more than the send itself: both ask the same cache.
 */
async function isKnown({ sock, meJid }: LiveAccount, jid: string): Promise<'yes' | 'no' | 'unclear'> {
  const isPhone = jid.endsWith('@s.whatsapp.net');
  const ownLid = jidNormalizedUser(sock.user?.lid);
  if ((!isPhone && !jid.endsWith('@lid')) || jid === meJid || jid === ownLid) return 'yes';
  const devices = await sock.getUSyncDevices([isPhone || !ownLid ? meJid : ownLid, jid], true, false);
  const user = jidDecode(jid)?.user;
  if (devices.some((device) => device.user === user)) return 'yes';
  // No devices is also what a question without an answer gives; this one tells the two apart.
  if (!isPhone) return devices.length > 0 ? 'no' : 'unclear';
  const found = await sock.onWhatsApp(jid);
  if (!found) return 'unclear';
  return found.length > 0 ? 'yes' : 'no';
}

/** Nodes that accompany some kinds of content; they follow from the content, so they need no freezing. */
function nodesFor(message: proto.IMessage): BinaryNode[] {
  const isPoll = message.pollCreationMessage ?? message.pollCreationMessageV2 ?? message.pollCreationMessageV3;
  return isPoll ? [{ tag: 'meta', attrs: { polltype: 'creation' } }] : [];
}
