import { describe, expect, it } from 'vitest';
import { readHostConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { hostTimings } from './timings.ts';

const address = { PUBLIC_URL: 'https://wa.example.com' };
const needed = { ...address, STATE_KEY_FILE: 'key' };

describe('readHostConfig', () => {
  it('has a default for everything but key and address, and a host id of its own each time', () => {
    const config = readHostConfig(needed);
    expect(config).toMatchObject({
      pool: 'socket',
      browserExecutable: undefined,
      shardCount: 8,
      engines: ['NOWEB'],
      nowebGate: 'durable',
      mediaAllowPrivateHosts: [],
      receivedMedia: { timeoutMs: 30_000, maxBytes: 67_108_864 },
      pacingProfile: 'safe',
    });
    expect(config.timings).toMatchObject({ heartbeat: 2_000, suspendAfter: 5_000, deadAfter: 7_000, drain: 110_000 });
    expect(readHostConfig(needed).hostId).not.toBe(config.hostId);
  });

  it('reads lists', () => {
    const config = readHostConfig({
      ...needed,
      ENGINES: 'SCRIPTED, NOWEB',
      MEDIA_ALLOW_PRIVATE_HOSTS: '127.0.0.1,localhost',
    });
    expect(config.engines).toEqual(['SCRIPTED', 'NOWEB']);
    expect(config.mediaAllowPrivateHosts).toEqual(['127.0.0.1', 'localhost']);
  });

  it.each([
    ['PUBLIC_URL', undefined],
    ['PUBLIC_URL', ''],
    ['PUBLIC_URL', 'wa.example.com'],
    ['SHARD_COUNT', 'many'],
    ['POOL', 'sea'],
    ['BROWSER_EXECUTABLE', ''],
    ['ENGINES', 'TELEGRAM'],
    ['ENGINES', ''],
    ['WHATSAPP_WS_URL', 'http://example.org'],
    ['WHATSAPP_ROOT_KEY', 'bm90IDMyIGJ5dGVz'],
    ['WHATSAPP_ROOT_KEY', '*'.repeat(44)],
    ['HEARTBEAT_MS', '0'],
    ['MEDIA_TIMEOUT_MS', '-1'],
    ['MEDIA_MAX_BYTES', 'all'],
    ['OUTGOING_MEDIA_BYTES', '0'],
    ['LOG_LEVEL', 'loud'],
    ['PACING_DEFAULT_PROFILE', 'hasty'],
    ['NOWEB_GATE', 'ajar'],
    ['S3_PATH_STYLE', 'maybe'],
    ['STATE_KEY_FILE', ''],
    ['STATE_KMS_KEY_ID', ''],
  ])('names the variable %s when it is %j', (name, value) => {
    expect(() => readHostConfig({ ...needed, [name]: value })).toThrow(ConfigError);
    expect(() => readHostConfig({ ...needed, [name]: value })).toThrow(name);
  });

  it('has a browser in the pool of browsers, and needs to be told of it', () => {
    const browser = { ...needed, POOL: 'browser', BROWSER_EXECUTABLE: '/usr/bin/chromium' };
    expect(readHostConfig(browser)).toMatchObject({ pool: 'browser', browserExecutable: '/usr/bin/chromium' });
    expect(readHostConfig({ ...browser, POOL: 'socket' }).browserExecutable).toBeUndefined();
    expect(() => readHostConfig({ ...needed, POOL: 'browser' })).toThrow(ConfigError);
    expect(() => readHostConfig({ ...needed, POOL: 'browser' })).toThrow('BROWSER_EXECUTABLE');
  });

  it('has the address of the API without a slash behind it, for paths to follow', () => {
    expect(readHostConfig({ ...needed, PUBLIC_URL: 'https://wa.example.com/v1/' }).publicUrl).toBe(
      'https://wa.example.com/v1',
    );
  });

  it('takes the key of session state from a file or from KMS', () => {
    expect(readHostConfig(needed).stateKey).toEqual({ kind: 'file', path: 'key' });
    expect(readHostConfig({ ...address, STATE_KMS_KEY_ID: 'alias/a' }).stateKey).toEqual({
      kind: 'kms',
      keyId: 'alias/a',
    });
  });

  it.each([
    [address, 'none'],
    [{ ...address, STATE_KEY_FILE: 'key', STATE_KMS_KEY_ID: 'alias/a' }, 'both'],
  ])('refuses %j: there is exactly one key', (environment, found) => {
    expect(() => readHostConfig(environment)).toThrow(ConfigError);
    expect(() => readHostConfig(environment)).toThrow(/STATE_KMS_KEY_ID.*STATE_KEY_FILE.*Exactly one/);
    expect(() => readHostConfig(environment)).toThrow(`not ${found}`);
  });

  it('refuses timings that would allow two owners, or none', () => {
    expect(() => readHostConfig({ ...needed, DEAD_AFTER_MS: '5000' })).toThrow('DEAD_AFTER_MS');
    expect(() => readHostConfig({ ...needed, HEARTBEAT_MS: '3000' })).toThrow('SUSPEND_AFTER_MS');
    expect(() => readHostConfig({ ...needed, STALL_AFTER_MS: '13999' })).toThrow('STALL_AFTER_MS');
    expect(() => readHostConfig({ ...needed, OBSERVE_MS: '2001' })).toThrow('OBSERVE_MS');
    expect(() => readHostConfig({ ...needed, JOB_DRAIN_MS: '95001' })).toThrow('JOB_DRAIN_MS');
    expect(readHostConfig({ ...needed, JOB_DRAIN_MS: '10000', DRAIN_MS: '25000' }).timings.drain).toBe(25_000);
  });

  it('refuses a wait for the dead that others cannot bear', () => {
    expect(() => readHostConfig({ ...needed, DEAD_AFTER_MS: '10001' })).toThrow('only suspended');
    expect(() => hostTimings({ conflictWait: 13_999 })).toThrow('take turns');
  });
});
