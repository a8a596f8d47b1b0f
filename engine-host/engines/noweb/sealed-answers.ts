import { isJidGroup, jidNormalizedUser, type proto, type WAMessageKey } from '@whiskeysockets/baileys';
import type { LookUpOther } from './ids.ts';
import type { MessageSecret } from './message-secrets.ts';

export interface AnswerPorts {
  lookUpOther: LookUpOther;
  findSecret(id: string): Promise<MessageSecret | undefined>;
  /** The account's own JIDs: phone number and LID. */
  ownJids(): readonly string[];
}

/** What the key of an answer is made from. */
export interface AnswerNames {
  readonly id: string;
  readonly author: string;
  readonly answerer: string;
  readonly secret: Uint8Array;
}

/**
 * Opens an answer to a message that has a secret. Which of a person's addresses went into the key is up to the answerer's
 * device, so all are tried.
 * @param about the message that is answered, seen from this account
 * @param key the answer's own
 * @param open throws when the answer was not sealed under these names
 * @returns undefined when the message is unknown, or the answer was not made with its secret
 */
export async function openAnswer<T>(
  about: proto.IMessageKey,
  key: WAMessageKey,
  ports: AnswerPorts,
  open: (names: AnswerNames) => T,
): Promise<{ readonly answer: T; readonly to: MessageSecret } | undefined> {
  const { id } = about;
  const to = id ? await ports.findSecret(id) : undefined;
  if (!id || !to) return undefined;
  const { participantAlt: _, ...chat } = key;
  const named = authorsOf({ ...chat, participant: about.participant ?? null });
  const authors = await allForms([...(about.fromMe ? ports.ownJids() : named), ...to.authors], ports);
  const answerers = await allForms(key.fromMe ? ports.ownJids() : authorsOf(key), ports);
  for (const author of authors) {
    for (const answerer of answerers) {
      try {
        return { answer: open({ id, author, answerer, secret: to.secret }), to };
      } catch {
        // Not with these addresses; whoever asks counts when none fits.
      }
    }
  }
  return undefined;
}

function authorsOf(key: WAMessageKey): readonly string[] {
  const { remoteJid, remoteJidAlt, participant, participantAlt } = key;
  const jids = isJidGroup(remoteJid ?? undefined) ? [participant, participantAlt] : [remoteJid, remoteJidAlt];
  return jids.filter((jid) => typeof jid === 'string');
}

async function allForms(jids: readonly string[], { lookUpOther }: AnswerPorts): Promise<ReadonlySet<string>> {
  const known = new Set(jids.map((jid) => jidNormalizedUser(jid)).filter((jid) => jid !== ''));
  for (const jid of [...known]) {
    const other = await lookUpOther(jid);
    if (other) known.add(jidNormalizedUser(other));
  }
  return known;
}
