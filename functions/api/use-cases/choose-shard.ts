import { createHash } from 'node:crypto';
import type { ApiDeps } from '../deps.ts';

/**
 * The shard of a new session: the emptier of two that follow from its name. That keeps the shards nearly even
 * (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing") without counting all sessions.
 */
export async function chooseShard(
  { sessions, config }: Pick<ApiDeps, 'sessions' | 'config'>,
  name: string,
): Promise<string> {
  const [one, other] = candidates(config.shards, name);
  if (one === other) return one;
  const [load, otherLoad] = await Promise.all([sessions.countByShard(one), sessions.countByShard(other)]);
  return load <= otherLoad ? one : other;
}

/** Two shards, different ones where there is more than one. */
function candidates(shards: readonly string[], name: string): readonly [string, string] {
  const hash = createHash('sha256').update(name).digest();
  const first = hash.readUInt32BE(0) % shards.length;
  const others = Math.max(shards.length - 1, 1);
  const second = (first + 1 + (hash.readUInt32BE(4) % others)) % shards.length;
  const [one, other] = [shards[first], shards[second]];
  if (one === undefined || other === undefined) throw new Error('There are no shards');
  return [one, other];
}
