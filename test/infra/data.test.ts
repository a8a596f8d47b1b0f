import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { API_HEADERS, EXPOSED_HEADERS } from '#shared/contracts/api/routes.ts';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import type { IndexDefinition } from '#shared/contracts/resource-shapes.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { createResolver } from './support/resolve.ts';
import { resourcesOf, synthesize } from './support/synthesis.ts';

const prod = synthesize('prod');
const dev = synthesize('dev');
const names = resourceNames({ RESOURCE_PREFIX: 'trunkline-prod', BUCKET_SUFFIX: '-account-region' });
const definition = resourceDefinition(64, names);
const { text } = createResolver(prod, 'prod');
const data = prod.stacks.data;
if (data === undefined) throw new Error('no stack for data');

const keyOf = (
  resource: { readonly Properties: Readonly<Record<string, unknown>> },
  path: readonly string[],
): string => {
  const value = path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    resource.Properties,
  );
  return text(value, data);
};

describe('tables', () => {
  const tables = resourcesOf(data, 'AWS::DynamoDB::Table');

  it('are those of the contracts, with their keys, indexes and expiry', () => {
    const schema = (keys: readonly { AttributeName: string; KeyType: string }[]) =>
      keys.map((key) => key.AttributeName);
    const indexesOf = (indexes: unknown = []) =>
      (indexes as { IndexName: string; KeySchema: never; Projection: object }[]).map((index) => ({
        name: index.IndexName,
        keys: schema(index.KeySchema),
        projection: index.Projection,
      }));
    const made = tables.map(({ Properties: p }) => ({
      name: p.TableName,
      keys: schema(p.KeySchema as never),
      indexes: indexesOf(p.GlobalSecondaryIndexes),
      local: indexesOf(p.LocalSecondaryIndexes),
      ttl: p.TimeToLiveSpecification,
    }));
    const wantedIndex = (index: IndexDefinition) => ({
      name: index.name,
      keys: [index.partitionKey.name, ...(index.sortKey ? [index.sortKey.name] : [])],
      projection: index.attributes
        ? { ProjectionType: 'INCLUDE', NonKeyAttributes: index.attributes }
        : { ProjectionType: 'ALL' },
    });
    const wanted = definition.tables.map(({ name, partitionKey, sortKey, indexes = [], ttlAttribute }) => ({
      name,
      keys: [partitionKey.name, ...(sortKey ? [sortKey.name] : [])],
      indexes: indexes.filter(({ local }) => !local).map(wantedIndex),
      local: indexes.filter(({ local }) => local).map(wantedIndex),
      ttl: ttlAttribute === undefined ? undefined : { AttributeName: ttlAttribute, Enabled: true },
    }));
    const byName = (a: { name: unknown }, b: { name: unknown }) => String(a.name).localeCompare(String(b.name));
    expect(made.sort(byName)).toEqual(wanted.sort(byName));
  });

  it('are paid per request, recoverable, encrypted and protected', () => {
    expect(tables).not.toHaveLength(0);
    for (const { Properties, DeletionPolicy } of tables) {
      expect(Properties).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
        DeletionProtectionEnabled: true,
      });
      expect(DeletionPolicy).toBe('Retain');
    }
  });

  it('are encrypted under the key of auth state where they hold some, and under the other where not', () => {
    const keys = new Map(
      tables.map((table) => [table.Properties.TableName, keyOf(table, ['SSESpecification', 'KMSMasterKeyId'])]),
    );
    const stateKeys = new Set([keys.get(names.tables.journal), keys.get(names.tables.dataKeys)]);
    expect(stateKeys.size).toBe(1);
    for (const [id, name] of Object.entries(names.tables)) {
      expect(stateKeys.has(keys.get(name)), id).toBe(id === 'journal' || id === 'dataKeys');
    }
  });

  it('of the stage for trying out can be deleted', () => {
    for (const { Properties, DeletionPolicy } of resourcesOf(dev.stacks.data, 'AWS::DynamoDB::Table')) {
      expect(Properties.DeletionProtectionEnabled).toBe(false);
      expect(DeletionPolicy).toBe('Delete');
    }
  });
});

describe('buckets', () => {
  const buckets = resourcesOf(data, 'AWS::S3::Bucket');
  const named = (name: string) =>
    buckets.find(({ Properties }) => Properties.BucketName !== undefined && text(Properties.BucketName, data) === name);

  it('are those of the contracts, versioned, encrypted under their keys, with an end for old versions', () => {
    for (const { name } of definition.buckets) {
      expect(named(name)?.Properties, name).toMatchObject({
        VersioningConfiguration: { Status: 'Enabled' },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
          ],
        },
        LifecycleConfiguration: { Rules: [{ NoncurrentVersionExpiration: { NoncurrentDays: 7 } }] },
      });
      expect(named(name)?.DeletionPolicy).toBe('Retain');
    }
  });

  it('keep no marker of what was deleted when its last version has gone', () => {
    // S3 takes no rule with both; one with days has these markers removed too.
    const rules = (name: string) => named(name)?.Properties.LifecycleConfiguration;
    expect(rules(names.buckets.state)).toMatchObject({ Rules: [{ ExpiredObjectDeleteMarker: true }] });
    expect(rules(names.buckets.media)).toMatchObject({ Rules: [{ ExpirationInDays: 90 }] });
    expect(JSON.stringify(rules(names.buckets.media))).not.toContain('ExpiredObjectDeleteMarker');
  });

  it('let pages of any origin follow the API’s redirects to media, with what the API was sent, and to nothing else', () => {
    expect(named(names.buckets.media)?.Properties.CorsConfiguration).toEqual({
      CorsRules: [
        {
          AllowedMethods: ['GET', 'HEAD'],
          AllowedOrigins: ['*'],
          AllowedHeaders: API_HEADERS,
          ExposedHeaders: EXPOSED_HEADERS,
          MaxAge: 600,
        },
      ],
    });
    expect(named(names.buckets.state)?.Properties).not.toHaveProperty('CorsConfiguration');
  });

  it('are closed to the public and to plain HTTP', () => {
    for (const { id, Properties } of buckets) {
      expect(Properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      const policy = resourcesOf(data, 'AWS::S3::BucketPolicy').find(
        ({ Properties: { Bucket } }) => text(Bucket, data) === text({ Ref: id }, data),
      );
      expect(JSON.stringify(policy)).toContain('"aws:SecureTransport":"false"');
    }
  });
});

it('no policy of a bucket, queue, key or topic allows anything to everybody', () => {
  const statement = z.object({ Effect: z.enum(['Allow', 'Deny']), Principal: z.unknown() });
  const policySchema = z.object({ Statement: z.array(statement) });
  const allowed = [...Object.values(prod.stacks), ...prod.nested].flatMap((template) =>
    Object.values(template.Resources).flatMap(({ Type, Properties }) => {
      const policy = Type === 'AWS::KMS::Key' ? Properties.KeyPolicy : Properties.PolicyDocument;
      if (policy === undefined || Type.startsWith('AWS::IAM::') || Type === 'AWS::EC2::VPCEndpoint') return [];
      return policySchema.parse(policy).Statement.filter(({ Effect }) => Effect === 'Allow');
    }),
  );
  expect(allowed.length).toBeGreaterThan(10);
  for (const { Principal } of allowed) {
    const whom = typeof Principal === 'object' && Principal !== null ? Object.values(Principal).flat() : [Principal];
    expect(whom).not.toHaveLength(0);
    expect(whom).not.toContain('*');
  }
});

it('keys rotate, and are not deleted with their stack', () => {
  const keys = resourcesOf(data, 'AWS::KMS::Key');
  expect(keys).toHaveLength(2);
  for (const { Properties, DeletionPolicy } of keys) {
    expect(Properties.EnableKeyRotation).toBe(true);
    expect(DeletionPolicy).toBe('Retain');
  }
});

describe('secrets', () => {
  it('are made by Secrets Manager', () => {
    const secrets = resourcesOf(data, 'AWS::SecretsManager::Secret');
    expect(secrets.map(({ Properties }) => Properties.Name).sort()).toEqual([
      'trunkline-prod/administrator-key',
      'trunkline-prod/key-pepper',
      'trunkline-prod/log-hash-key',
    ]);
    for (const { Properties } of secrets) {
      expect(Properties).not.toHaveProperty('SecretString');
      expect(Properties.GenerateSecretString).toMatchObject({ PasswordLength: 40 });
    }
  });

  it('reach programs as references only', () => {
    const programs = JSON.stringify([prod.stacks.functions, prod.stacks.hosts]);
    const values = programs.match(/"LOG_HASH_KEY":(?:\{[^}]*\}|"[^"]*")/g) ?? [];
    expect(values.length).toBeGreaterThan(0);
    for (const value of values) expect(value).toContain('{{resolve:secretsmanager:');
    expect(programs).toContain('"Name":"LOG_HASH_KEY","ValueFrom"');
  });
});
