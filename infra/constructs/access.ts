import { Aws, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { TableDefinition } from '#shared/contracts/resource-shapes.ts';
import type { Pool, ResourceNames, TableId } from '#shared/contracts/resources.ts';
import type { Installation } from '../installation.ts';
import type { DataStack } from '../stacks/data-stack.ts';
import { acknowledgePattern } from './acknowledge.ts';

/**
 * What can be done to a table's rows: `many` gets several by their keys, `append` puts several; `clear` deletes what a query
 * finds. `noteUse` writes down when a key was used and changes nothing else of its row.
 */
export type TableRight =
  | 'get'
  | 'query'
  | 'many'
  | 'scan'
  | 'put'
  | 'update'
  | 'delete'
  | 'append'
  | 'clear'
  | 'noteUse';
export type QueueId = keyof ResourceNames['queues'];
export type TableRights = Readonly<Partial<Record<TableId, readonly TableRight[]>>>;

const TABLE_ACTIONS: Readonly<Record<TableRight, readonly string[]>> = {
  get: ['GetItem'],
  query: ['Query'],
  many: ['BatchGetItem'],
  scan: ['Scan'],
  put: ['PutItem'],
  update: ['UpdateItem'],
  delete: ['DeleteItem'],
  append: ['BatchWriteItem'],
  clear: ['Query', 'BatchWriteItem'],
  // Has a statement of its own, see `noteUse`.
  noteUse: [],
};

const READING: readonly TableRight[] = ['get', 'query', 'many', 'scan'];

/** What a service asks KMS for on behalf of whoever uses its encrypted table, bucket, queue or secret. */
const KEY_ACTIONS = {
  read: ['kms:Decrypt', 'kms:DescribeKey'],
  write: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'],
} as const;
export type KeyUse = keyof typeof KEY_ACTIONS;
type EncryptingService = 'dynamodb' | 's3' | 'sqs' | 'secretsmanager';

/** How the key of tables is used with these rights; undefined without any. */
export function keyUseOf(rights: TableRights): KeyUse | undefined {
  const all = Object.values(rights).flat();
  if (all.length === 0) return undefined;
  return all.every((right) => READING.includes(right)) ? 'read' : 'write';
}

/** Rights on rows, table by table, with the indexes that each table has. */
export function allowTables(
  role: Role,
  data: DataStack,
  { names, resources }: Installation,
  rights: TableRights,
): void {
  for (const [id, table] of Object.entries(data.tables)) {
    const wanted = rights[id as TableId];
    if (wanted === undefined) continue;
    if (wanted.includes('noteUse')) role.addToPolicy(noteUse(table.tableArn));
    const definition = resources.tables.find(({ name }) => name === names.tables[id as TableId]);
    role.addToPolicy(
      new PolicyStatement({
        actions: [...new Set(wanted.flatMap((right) => TABLE_ACTIONS[right]))].map((action) => `dynamodb:${action}`),
        resources: [table.tableArn, ...indexArns(table, definition)],
      }),
    );
  }
}

/** A row of the table of keys says who may do what: whoever notes its use must not be able to change that, or to read it. */
function noteUse(tableArn: string): PolicyStatement {
  return new PolicyStatement({
    actions: ['dynamodb:UpdateItem'],
    resources: [tableArn],
    conditions: {
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['id', 'lastUsedAt'] },
      StringEquals: { 'dynamodb:ReturnValues': 'NONE' },
    },
  });
}

const indexArns = (table: Table, definition: TableDefinition | undefined): readonly string[] =>
  (definition?.indexes ?? []).map(({ name }) => `${table.tableArn}/index/${name}`);

/** Use of a key through AWS services only: nobody with this right can decrypt by himself. */
export function allowKeyVia(
  role: Role,
  key: IKey,
  uses: Readonly<Partial<Record<EncryptingService, KeyUse | undefined>>>,
): void {
  const { region, urlSuffix } = Stack.of(key);
  for (const use of ['read', 'write'] as const) {
    const services = Object.entries(uses).flatMap(([service, wanted]) => (wanted === use ? [service] : []));
    if (services.length === 0) continue;
    role.addToPolicy(
      new PolicyStatement({
        actions: [...KEY_ACTIONS[use]],
        resources: [key.keyArn],
        conditions: {
          StringEquals: { 'kms:ViaService': services.map((service) => `${service}.${region}.${urlSuffix}`) },
        },
      }),
    );
  }
}

/** Rights on objects whose keys begin in one of these ways. */
export function allowObjects(
  role: Role,
  bucketName: string,
  prefixes: readonly string[],
  actions: readonly string[],
): void {
  const resources = prefixes.map((prefix) => `arn:${Aws.PARTITION}:s3:::${bucketName}/${prefix}*`);
  role.addToPolicy(new PolicyStatement({ actions: actions.map((action) => `s3:${action}`), resources }));
  for (const arn of resources)
    acknowledgePattern(role, arn, 'Objects are named when they are written; their place is not.');
}

/** Without it S3 says 403, not 404, of what does not exist. */
export function allowListing(role: Role, bucketName: string): void {
  role.addToPolicy(
    new PolicyStatement({ actions: ['s3:ListBucket'], resources: [`arn:${Aws.PARTITION}:s3:::${bucketName}`] }),
  );
}

/** Telling something on the installation's bus, as from this source only. */
export function allowEvents(role: Role, { names }: Installation, source: string): void {
  role.addToPolicy(
    new PolicyStatement({
      actions: ['events:PutEvents'],
      resources: [`arn:${Aws.PARTITION}:events:${Aws.REGION}:${Aws.ACCOUNT_ID}:event-bus/${names.bus}`],
      // One request brings several events. All of none are as they should be, so there has to be a source.
      conditions: { 'ForAllValues:StringEquals': { 'events:source': source }, Null: { 'events:source': 'false' } },
    }),
  );
}

/** Asking how many hosts run, and for another number of them. */
export function allowHostCount(role: Role, { cluster, pools }: Installation): void {
  const services = pools.map(
    ({ service }) => `arn:${Aws.PARTITION}:ecs:${Aws.REGION}:${Aws.ACCOUNT_ID}:service/${cluster}/${service}`,
  );
  role.addToPolicy(
    new PolicyStatement({ actions: ['ecs:DescribeServices', 'ecs:UpdateService'], resources: services }),
  );
}

/** Rights on some of the installation's queues. */
export function allowQueues(
  role: Role,
  { names }: Installation,
  queues: readonly QueueId[],
  actions: readonly string[],
): void {
  const arn = `arn:${Aws.PARTITION}:sqs:${Aws.REGION}:${Aws.ACCOUNT_ID}`;
  role.addToPolicy(
    new PolicyStatement({
      actions: actions.map((action) => `sqs:${action}`),
      resources: queues.map((id) => `${arn}:${names.queues[id]}`),
    }),
  );
}

/** Rights on the queues of all shards of a pool. */
export function allowShardQueues(role: Role, { names }: Installation, pool: Pool, actions: readonly string[]): void {
  const queues = `arn:${Aws.PARTITION}:sqs:${Aws.REGION}:${Aws.ACCOUNT_ID}:${names.shardQueue(`${pool}-*`)}`;
  role.addToPolicy(new PolicyStatement({ actions: actions.map((action) => `sqs:${action}`), resources: [queues] }));
  acknowledgePattern(role, queues, 'Up to 4,096 queues of one installation; their names would not fit into a policy.');
}
