import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { allowedBy, permits, type Statement } from './support/policies.ts';
import { createResolver } from './support/resolve.ts';
import { resourcesOf, synthesize, type Template } from './support/synthesis.ts';

const synthesis = synthesize('prod');
const resolver = createResolver(synthesis, 'prod');
const names = resourceNames({ RESOURCE_PREFIX: 'trunkline-prod', BUCKET_SUFFIX: '-account-region' });
const { functions, hosts, data, messaging } = synthesis.stacks;
if (functions === undefined || hosts === undefined || data === undefined || messaging === undefined)
  throw new Error('stacks are missing');

/** Auth state: its bucket, its journal, the keys it is encrypted under. */
const stateKeys = resourcesOf(data, 'AWS::KMS::Key').filter(({ Properties }) =>
  /^Auth state/.test(String(Properties.Description)),
);
const STATE = [
  `arn:aws:s3:::${names.buckets.state}`,
  `table/${names.tables.journal}`,
  `table/${names.tables.dataKeys}`,
  ...stateKeys.map(({ id }) => `key/${id}`),
];
const touchesState = ({ resources }: Statement): boolean =>
  resources.some((arn) => STATE.some((part) => arn.includes(part)));

const ofFunctions = allowedBy(functions, resolver);
const ofHosts = allowedBy(hosts, resolver);
/** Roles of the CDK's own helpers come with a fixed policy and are not ours to write. */
const rolesOf = (kind: RegExp) => [...ofHosts].filter(([role]) => kind.test(role));

describe('control functions', () => {
  const used = resourcesOf(functions, 'AWS::Lambda::Function').filter(
    ({ Properties }) => Properties.FunctionName !== undefined,
  );

  it('have a role each, and share none', () => {
    const roles = used.map(({ Properties }) => JSON.stringify(Properties.Role));
    expect(used.length).toBeGreaterThan(10);
    expect(new Set(roles).size).toBe(used.length);
  });

  it('have nothing to do with auth state', () => {
    expect(stateKeys).toHaveLength(1);
    for (const [role, statements] of ofFunctions) {
      expect(statements.filter(touchesState), role).toEqual([]);
      for (const arn of [
        `arn:aws:s3:::${names.buckets.state}/checkpoints/a`,
        `arn:aws:dynamodb:region:account:table/${names.tables.journal}`,
      ])
        for (const action of ['s3:GetObject', 'dynamodb:GetItem', 'dynamodb:Query'])
          expect(permits(statements, action, arn), `${role} ${action}`).toBe(false);
    }
  });

  it('use the key of the data through services, never by themselves', () => {
    const uses = [...ofFunctions.values()]
      .flat()
      .filter(({ actions }) => actions.some((action) => action.startsWith('kms:')));
    expect(uses.length).toBeGreaterThan(5);
    for (const { condition } of uses) expect(JSON.stringify(condition)).toContain('kms:ViaService');
  });

  it('read a secret only where they cannot do without it', () => {
    const secrets = resourcesOf(data, 'AWS::SecretsManager::Secret');
    const readersOf = (name: string) => {
      const id = secrets.find(({ Properties }) => Properties.Name === `trunkline-prod/${name}`)?.id ?? 'none';
      return [...ofFunctions]
        .filter(([, statements]) =>
          statements.some(
            ({ actions, resources }) =>
              actions.includes('secretsmanager:GetSecretValue') && resources.some((arn) => arn.includes(id)),
          ),
        )
        .map(([role]) => role.replace(/role[0-9A-F]{8}$/, ''))
        .sort();
    };
    expect(readersOf('key-pepper')).toEqual(['administratorkey', 'apikeys', 'authorizer', 'streamconnections']);
    expect(readersOf('administrator-key')).toEqual(['administratorkey']);
    expect(readersOf('log-hash-key')).toEqual([]);
  });

  it('write keys and their audit log only where that is their work', () => {
    const writersOf = (table: string, actions: readonly string[]) =>
      [...ofFunctions]
        .filter(([, statements]) =>
          actions.some((action) => permits(statements, action, `arn:aws:dynamodb:region:account:table/${table}`)),
        )
        .map(([role]) => role.replace(/role[0-9A-F]{8}$/, ''))
        .sort();
    expect(writersOf(names.tables.apiKeys, ['dynamodb:PutItem'])).toEqual(['administratorkey', 'apikeys']);
    expect(writersOf(names.tables.apiKeys, ['dynamodb:DeleteItem'])).toEqual(['apikeys', 'apisessions']);
    expect(writersOf(names.tables.audit, ['dynamodb:PutItem'])).toEqual([
      ...['administratorkey', 'apikeys', 'apipairing', 'apisessions', 'apiwebhooks'],
    ]);
    expect(writersOf(names.tables.audit, ['dynamodb:UpdateItem', 'dynamodb:DeleteItem'])).toEqual([]);
    expect(writersOf(names.tables.audit, ['dynamodb:Query', 'dynamodb:Scan', 'dynamodb:GetItem'])).toEqual(['apikeys']);
  });

  it('note when a key was used, and change nothing else of its row', () => {
    const table = `arn:aws:dynamodb:region:account:table/${names.tables.apiKeys}`;
    const may = (attributes: readonly string[], returned: string) =>
      [...ofFunctions].filter(([, statements]) =>
        permits(statements, 'dynamodb:UpdateItem', table, { attributes, returned }),
      );
    expect(may(['id', 'lastUsedAt'], 'NONE').length).toBeGreaterThan(10);
    expect(may(['id', 'lastUsedAt', 'isAdmin'], 'NONE')).toEqual([]);
    expect(may(['id', 'lastUsedAt'], 'ALL_NEW')).toEqual([]);
  });

  it('cannot start or stop anything, and manage nobody, but for the number of hosts', () => {
    const services = `arn:aws:ecs:region:account:service/trunkline-prod/trunkline-prod-socket`;
    for (const [role, statements] of ofFunctions) {
      for (const { actions, resources } of statements) {
        if (/^capacityrole/.test(role) && actions.some((action) => action.startsWith('ecs:'))) {
          expect({ actions, resources }).toEqual({
            actions: ['ecs:DescribeServices', 'ecs:UpdateService'],
            resources: [services],
          });
          continue;
        }
        for (const action of actions)
          expect(action).toMatch(/^(?:(?:dynamodb|sqs|s3|kms|logs|secretsmanager):|events:PutEvents$)/);
      }
    }
  });

  it('tell what they have to on the installation’s own bus only, and two functions alone do', () => {
    const telling = [...ofFunctions].filter(([, statements]) =>
      statements.some(({ actions }) => actions.includes('events:PutEvents')),
    );
    expect(telling.map(([role]) => role)).toEqual([
      expect.stringMatching(/^apisessionsrole/),
      expect.stringMatching(/^webhookdispatcherrole/),
    ]);
    const asWhom = [telling.flatMap(([, statements]) => statements), [...ofHosts.values()].flat()];
    for (const [index, source] of ['trunkline.control', 'trunkline'].entries()) {
      const told = asWhom[index]?.filter(({ actions }) => actions.includes('events:PutEvents')) ?? [];
      expect(told).not.toHaveLength(0);
      for (const { resources, condition } of told) {
        expect(resources).toEqual(['arn:aws:events:region:account:event-bus/trunkline-prod']);
        expect(condition).toEqual({
          'ForAllValues:StringEquals': { 'events:source': source },
          Null: { 'events:source': 'false' },
        });
      }
    }
  });
});

describe('hosts', () => {
  const task = rolesOf(/^SocketRole/).flatMap(([, statements]) => statements);
  const execution = rolesOf(/ExecutionRole/).flatMap(([, statements]) => statements);

  it('alone reach auth state', () => {
    expect(task.filter(touchesState).length).toBeGreaterThan(0);
    expect(execution.filter(touchesState)).toEqual([]);
  });

  it('get data keys only for the session that they are made for', () => {
    const direct = task.filter(
      ({ actions, condition }) =>
        actions.includes('kms:GenerateDataKey') && !JSON.stringify(condition).includes('ViaService'),
    );
    expect(direct).toHaveLength(1);
    expect(direct[0]).toMatchObject({
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      condition: { Null: { 'kms:EncryptionContext:session': 'false' } },
    });
  });

  it('see neither keys of callers nor secrets', () => {
    for (const { actions, resources } of task) {
      expect(
        actions.filter((action) =>
          /^(?:secretsmanager|iam|sts|lambda|ecs:(?!(?:Get|Update)TaskProtection$))/.test(action),
        ),
      ).toEqual([]);
      expect(resources.join()).not.toContain(names.tables.apiKeys);
    }
  });
});

describe('what is encrypted', () => {
  const WRITES = /^(?:dynamodb:(?:Put|Update|Delete|BatchWrite)Item|s3:PutObject|sqs:SendMessage)$/;
  const keySchema = z.union([
    z.object({ SSESpecification: z.object({ KMSMasterKeyId: z.unknown() }) }),
    z.object({
      BucketEncryption: z.object({
        ServerSideEncryptionConfiguration: z.tuple([
          z.object({ ServerSideEncryptionByDefault: z.object({ KMSMasterKeyID: z.unknown() }) }),
        ]),
      }),
    }),
    z.object({ KmsMasterKeyId: z.unknown() }),
    z.object({ KmsKeyId: z.unknown() }),
  ]);

  /** The key of a resource, by its ARN's last part; undefined under a key of AWS's own. */
  const keys = new Map<string, string>();
  for (const template of [data, messaging]) {
    for (const [id, { Properties }] of Object.entries(template.Resources)) {
      const parsed = keySchema.safeParse(Properties).data;
      if (parsed === undefined) continue;
      const key =
        'SSESpecification' in parsed
          ? parsed.SSESpecification.KMSMasterKeyId
          : 'BucketEncryption' in parsed
            ? parsed.BucketEncryption.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.KMSMasterKeyID
            : 'KmsMasterKeyId' in parsed
              ? parsed.KmsMasterKeyId
              : parsed.KmsKeyId;
      const name = Properties.TableName ?? Properties.QueueName ?? Properties.BucketName ?? id;
      if (key !== undefined) keys.set(resolver.text(name, template), resolver.text(key, template));
    }
  }

  /** What of the keys a right on encrypted things takes, as `action key service`. */
  function takes({ actions, resources }: Statement): readonly string[] {
    return resources.flatMap((arn) => {
      const service =
        /^arn:aws:(dynamodb|s3|sqs):/.exec(arn)?.[1] ??
        (arn.includes('Secret') || /Key|Pepper/.test(arn) ? 'secretsmanager' : '');
      const name =
        /^arn:aws:(?:dynamodb:[^/]+\/|s3:::|sqs:[^:]+:[^:]+:)([^/]+)/.exec(arn)?.[1] ?? arn.replace(/^arn:/, '');
      const key = keys.get(name);
      if (key === undefined || actions.every((action) => action.startsWith('kms:'))) return [];
      const uses = actions.some((action) => WRITES.test(action))
        ? ['kms:Decrypt', 'kms:GenerateDataKey']
        : ['kms:Decrypt'];
      return uses.map((use) => `${use} ${key} ${service}`);
    });
  }

  /** What a role may do with keys through services. */
  function gives({ actions, resources, condition }: Statement, template: Template): readonly string[] {
    const via = condition?.StringEquals;
    if (typeof via !== 'object' || via === null || !('kms:ViaService' in via)) return [];
    const services = resolver.text(via['kms:ViaService'], template).split(',');
    return actions.flatMap((action) =>
      resources.flatMap((key) => services.map((service) => `${action} ${key} ${service.split('.')[0]}`)),
    );
  }

  const roles = [functions, hosts].flatMap((template) =>
    [...allowedBy(template, resolver)].map(([role, statements]) => ({ role, statements, template })),
  );

  it('can be read and written by whoever may, through its service, and nobody has more of a key than that', () => {
    expect(keys.size).toBeGreaterThan(20);
    for (const { role, statements, template } of roles.filter((one) => !/ExecutionRole/.test(one.role))) {
      const wanted = new Set(statements.flatMap(takes));
      const given = statements
        .flatMap((statement) => gives(statement, template))
        .filter((one) => /^kms:(?:Decrypt|GenerateDataKey) /.test(one));
      // The hosts' queues are under SQS's own key.
      expect([...new Set(given)].sort(), role).toEqual([...wanted].sort());
    }
  });

  it('is taken from the queues that call functions, by those functions', () => {
    const { eventSources } = resourceDefinition(64, names);
    expect(eventSources.length).toBeGreaterThan(3);
    for (const { queue, function: name } of eventSources) {
      const statements = ofFunctions.get(roleOf(name)) ?? [];
      for (const action of ['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes'])
        expect(permits(statements, `sqs:${action}`, `arn:aws:sqs:region:account:${queue}`), `${name} ${action}`).toBe(
          true,
        );
    }
  });
});

function roleOf(name: string): string {
  const made = resourcesOf(functions, 'AWS::Lambda::Function').find(
    ({ Properties }) => Properties.FunctionName === `trunkline-prod-${name}`,
  );
  return z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).parse(made?.Properties.Role)['Fn::GetAtt'][0];
}

it('no policy allows everything of anything', () => {
  for (const statement of [...ofFunctions.values(), ...ofHosts.values()].flat()) {
    for (const action of statement.actions) expect(action).not.toContain('*');
    if (statement.resources.includes('*')) expect(statement.actions).toEqual(['ecr:GetAuthorizationToken']);
  }
});
