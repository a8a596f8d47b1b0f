import type { ChatId } from '#shared/domain/chat-id.ts';
import type { CommandHandlers, JobContext } from '../engines/engine.ts';
import type { ShardLease } from '../host/lease.ts';
import { sleep } from '../host/sleep.ts';

/** Shows "typing…" in a chat for a while, where the engine can. The message that follows ends it. */
export async function typeFor(
  ms: number,
  chatId: ChatId,
  { setTyping }: CommandHandlers,
  job: JobContext,
  lease: ShardLease,
): Promise<void> {
  if (ms === 0 || setTyping === undefined) return;
  await setTyping({ type: 'setTyping', chatId, typing: true }, job);
  await sleep(ms, lease.ended);
}
