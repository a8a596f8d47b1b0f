import { describe, expect, it } from 'vitest';
import { shardIds } from '#shared/contracts/resources.ts';
import { TestApi } from '../test-support/test-api.ts';
import { chooseShard } from './choose-shard.ts';
import { createSession } from './create-session.ts';

describe('the shard of a new session', () => {
  it('leaves 1,000 sessions evenly spread over 8 shards', async () => {
    const shards = shardIds('socket', 8);
    const { deps, sessions } = new TestApi({ shards });
    for (let n = 0; n < 1_000; n += 1) await createSession(deps, { name: `s${n}`, config: {}, start: false });
    for (const shard of shards) {
      const count = await sessions.countByShard(shard);
      expect(count).toBeGreaterThan(125 * 0.9);
      expect(count).toBeLessThan(125 * 1.1);
    }
  });

  it('asks two shards only, however many there are', async () => {
    const asked: string[] = [];
    const { deps, sessions } = new TestApi({ shards: shardIds('socket', 64) });
    sessions.countByShard = async (shard) => asked.push(shard);
    await chooseShard(deps, 'main');
    expect(new Set(asked).size).toBe(2);
  });

  it('is the only one where there is one', async () => {
    const { deps } = new TestApi({ shards: ['socket-00'] });
    expect(await chooseShard(deps, 'main')).toBe('socket-00');
  });
});
