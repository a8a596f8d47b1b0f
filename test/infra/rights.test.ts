import { describe, expect, it } from 'vitest';
import { resourceNames } from '#shared/contracts/resources.ts';
import { allowedBy, permits, type Statement } from './support/policies.ts';
import { createResolver } from './support/resolve.ts';
import { resourcesOf, synthesize } from './support/synthesis.ts';

const synthesis = synthesize('prod');
const resolver = createResolver(synthesis, 'prod');
const names = resourceNames({ RESOURCE_PREFIX: 'trunkline-prod', BUCKET_SUFFIX: '-account-region' });
const { functions, hosts, data } = synthesis.stacks;
if (functions === undefined || hosts === undefined || data === undefined) throw new Error('stacks are missing');

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
    expect(writersOf(names.tables.apiKeys, ['dynamodb:UpdateItem'])).toEqual(['apikeys', 'authorizer']);
    expect(writersOf(names.tables.apiKeys, ['dynamodb:DeleteItem'])).toEqual(['apikeys', 'apisessions']);
    expect(writersOf(names.tables.audit, ['dynamodb:PutItem'])).toEqual(['apikeys', 'apisessions']);
    expect(writersOf(names.tables.audit, ['dynamodb:UpdateItem', 'dynamodb:DeleteItem'])).toEqual([]);
    expect(writersOf(names.tables.audit, ['dynamodb:Query', 'dynamodb:Scan', 'dynamodb:GetItem'])).toEqual(['apikeys']);
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
    for (const { actions, resources } of telling.flatMap(([, statements]) => statements))
      if (actions.includes('events:PutEvents'))
        expect(resources).toEqual(['arn:aws:events:region:account:event-bus/trunkline-prod']);
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

it('no policy allows everything of anything', () => {
  for (const statement of [...ofFunctions.values(), ...ofHosts.values()].flat()) {
    for (const action of statement.actions) expect(action).not.toContain('*');
    if (statement.resources.includes('*')) expect(statement.actions).toEqual(['ecr:GetAuthorizationToken']);
  }
});
