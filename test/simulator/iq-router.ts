import type { Device } from './accounts.ts';
import type { ClientSession } from './client-session.ts';
import type { Server } from './server.ts';
import { attrText, type BinaryNode, children, node } from './wire/binary-node.ts';
import { SERVER_JID } from './wire/jid.ts';
import { WireError } from './wire/wire-error.ts';

/** An iq of a logged-in device, taken apart as far as the router needs. */
export interface IqRequest {
  readonly server: Server;
  readonly session: ClientSession;
  readonly device: Device;
  readonly iq: BinaryNode;
  /** The first child, or an empty node for a bare iq. */
  readonly child: BinaryNode;
}

/** Answers with the children of the result (or the error) to send; nothing at all means an empty result. */
export type IqHandler = (
  request: IqRequest,
) => readonly BinaryNode[] | undefined | Promise<readonly BinaryNode[] | undefined>;

/** Handlers by `xmlns type child`; a `*` in place of the child takes every child without an entry of its own. */
export type IqTable = Readonly<Record<string, IqHandler>>;

/** An answer of type `error`. */
export class IqError extends Error {
  readonly code: number;

  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

/** Answers every iq: with its handler's result, or with 501 and a count when nobody knows it. */
export async function answerIq(session: ClientSession, iq: BinaryNode, table: IqTable): Promise<void> {
  const { server, device } = session;
  const child = children(iq)[0] ?? node('');
  const name = iqName(iq);
  const handler = table[name] ?? table[`${attrText(iq, 'xmlns')} ${attrText(iq, 'type')} *`];
  if (!handler || !device) {
    server.stats.unknownIq(name);
    session.send(errorAnswer(iq, 501, 'feature-not-implemented'));
    return;
  }
  await answerWith(session, iq, () => handler({ server, session, device, iq, child }));
}

/** Answers an iq with what `work` returns, or with the error it throws. */
export async function answerWith(
  session: ClientSession,
  iq: BinaryNode,
  work: () => ReturnType<IqHandler>,
): Promise<void> {
  const { stats } = session.server;
  const name = iqName(iq);
  try {
    const content = await work();
    if (content !== UNANSWERED) session.send(answer(iq, 'result', content));
  } catch (error) {
    if (error instanceof IqError) session.send(errorAnswer(iq, error.code, error.message));
    else if (error instanceof WireError) {
      stats.violation(`${name}: ${error.message}`);
      session.send(errorAnswer(iq, 400, 'bad-request'));
    } else {
      stats.violation(`${name}: the simulator failed: ${error instanceof Error ? error.stack : String(error)}`);
      session.send(errorAnswer(iq, 500, 'internal-server-error'));
    }
  }
}

/** A handler's way of leaving an iq without an answer, for faults only. */
export const UNANSWERED: readonly BinaryNode[] = [];

function iqName(iq: BinaryNode): string {
  return `${attrText(iq, 'xmlns') ?? ''} ${attrText(iq, 'type') ?? ''} ${children(iq)[0]?.tag ?? ''}`.trim();
}

function answer(iq: BinaryNode, type: 'result' | 'error', content: readonly BinaryNode[] | undefined): BinaryNode {
  return node('iq', { from: iq.attrs.to ?? SERVER_JID, id: attrText(iq, 'id'), type }, content);
}

function errorAnswer(iq: BinaryNode, code: number, text: string): BinaryNode {
  return answer(iq, 'error', [node('error', { code: String(code), text })]);
}
