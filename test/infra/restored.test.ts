import { describe, expect, it } from 'vitest';
import { capacityEnvSchema, fleetPools } from '#functions/capacity/env.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { decideHosts, hostsNeeded } from '#shared/domain/host-count.ts';
import { SettingsError } from '../../infra/config/settings.ts';
import { readSettings, STAGES } from '../../infra/config/stages.ts';
import { allowedBy } from './support/policies.ts';
import { createResolver } from './support/resolve.ts';
import { resourcesOf, synthesize } from './support/synthesis.ts';

const KEY = 'arn:aws:kms:eu-central-1:123456789012:key/0c1d2e3f-1111-2222-3333-444455556666';
const context: Readonly<Record<string, unknown>> = { like: 'prod', stateKeyArn: KEY };
const settingsWith = (given: Readonly<Record<string, unknown>>) => readSettings('restore', (name) => given[name]);

describe('an installation for the auth state of another', () => {
  const synthesis = synthesize('restore', context);
  const resolver = createResolver(synthesis, 'restore');
  const names = resourceNames({ RESOURCE_PREFIX: 'trunkline-restore', BUCKET_SUFFIX: '-account-region' });
  const { data, hosts, functions } = synthesis.stacks;
  if (data === undefined || hosts === undefined || functions === undefined) throw new Error('stacks are missing');

  it('makes no key for it, and encrypts under the other’s what belongs to it', () => {
    expect(resourcesOf(data, 'AWS::KMS::Key').map(({ Properties }) => Properties.Description)).toEqual([
      'Data of trunkline-restore',
    ]);
    const encrypted = resourcesOf(data, 'AWS::DynamoDB::Table').filter(({ Properties }) =>
      JSON.stringify(Properties.SSESpecification).includes(KEY),
    );
    expect(encrypted.map(({ Properties }) => Properties.TableName).sort()).toEqual(
      [names.tables.dataKeys, names.tables.journal].sort(),
    );
    const buckets = resourcesOf(data, 'AWS::S3::Bucket').filter(({ Properties }) =>
      JSON.stringify(Properties.BucketEncryption ?? {}).includes(KEY),
    );
    expect(buckets.map(({ Properties }) => resolver.text(Properties.BucketName, data))).toEqual([names.buckets.state]);
  });

  it('gives its hosts that key, for data keys of a session and for what S3 and DynamoDB hold', () => {
    const [task] = resourcesOf(hosts, 'AWS::ECS::TaskDefinition');
    expect(JSON.stringify(task?.Properties.ContainerDefinitions)).toContain(
      JSON.stringify({ Name: 'STATE_KMS_KEY_ID', Value: KEY }),
    );
    const uses = [...allowedBy(hosts, resolver)].flatMap(([role, statements]) =>
      statements.filter(({ resources }) => resources.includes(KEY)).map((statement) => ({ role, ...statement })),
    );
    expect(uses).toHaveLength(2);
    for (const { role } of uses) expect(role).toMatch(/^SocketRole/);
    expect(uses).toContainEqual(
      expect.objectContaining({
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        condition: { Null: { 'kms:EncryptionContext:session': 'false' } },
      }),
    );
    const viaServices = uses.filter(({ condition }) => JSON.stringify(condition).includes('kms:ViaService'));
    expect(viaServices).toHaveLength(1);
    for (const service of ['dynamodb.', 's3.']) expect(JSON.stringify(viaServices)).toContain(service);
  });

  it('tells the key to whoever restores from it in turn', () => {
    const { Outputs } = data;
    expect(Outputs.StateKeyArn?.Value).toBe(KEY);
    expect(JSON.stringify(functions)).not.toContain(KEY);
  });
});

describe('settings of a stage that has none of its own', () => {
  it('are those of dev, or of the stage that is named', () => {
    expect(settingsWith({})).toMatchObject({ ...STAGES.dev, stage: 'restore' });
    expect(settingsWith({ like: 'prod' })).toMatchObject({ ...STAGES.prod, stage: 'restore' });
    expect(() => settingsWith({ like: 'production' })).toThrow(SettingsError);
  });

  it('can be without hosts, which then end', () => {
    expect(settingsWith({ maxHosts: '0' }).maxHosts).toBe(0);
    const env = capacityEnvSchema.parse({ MAX_HOSTS: '0', WARM_SPARES: '1' });
    const [pool] = fleetPools(env);
    if (pool === undefined) throw new Error('no pool');
    const before = [{ at: 0, hosts: 3 }];
    expect(decideHosts(before, { at: 1, hosts: hostsNeeded(900, pool.limits) }, pool.limits).hosts).toBe(0);
  });

  it.each(['alias/state', 'arn:aws:kms:eu-central-1:123456789012:alias/state', KEY.replace('kms', 's3')])(
    'take no %s for a key',
    (stateKeyArn) => {
      expect(() => settingsWith({ stateKeyArn })).toThrow(/stateKeyArn/);
    },
  );
});
