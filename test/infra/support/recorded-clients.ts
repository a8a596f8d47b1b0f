import * as z from 'zod';
import type { AwsClients } from '#shared/adapters/aws-clients.ts';

/** A call to AWS in the words of an IAM policy. */
export interface RecordedCall {
  readonly action: string;
  readonly arn: string;
  /** Of an update of a row: what it names, and what it wants back. */
  readonly attributes?: readonly string[];
  readonly returned?: string;
}

/** The text fields of a command's input; what a command asks for is in one of them. */
type Input = Readonly<Record<string, unknown>>;

/** Clients that note what they are asked to do before they do it. */
export function recordedClients(clients: AwsClients, note: (call: RecordedCall) => void): AwsClients {
  const record = (command: unknown): void => {
    for (const call of callsOf(command)) note(call);
  };
  const wrap = <T extends object>(client: T): T =>
    new Proxy(client, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (key !== 'send' || typeof value !== 'function') return value;
        return (command: unknown, ...rest: readonly unknown[]): unknown => {
          record(command);
          return Reflect.apply(value, target, [command, ...rest]);
        };
      },
    });
  return {
    dynamo: wrap(clients.dynamo),
    sqs: wrap(clients.sqs),
    s3: wrap(clients.s3),
    eventBridge: wrap(clients.eventBridge),
  };
}

function callsOf(command: unknown): readonly RecordedCall[] {
  if (typeof command !== 'object' || command === null) return [];
  const name = command.constructor.name.replace(/Command$/, '');
  const input = Reflect.get(command, 'input') as Input;
  const text = (field: string): string | undefined => {
    const value = input[field];
    return typeof value === 'string' ? value : undefined;
  };
  if (name === 'PutEvents')
    return z
      .array(z.object({ EventBusName: z.string() }))
      .parse(input.Entries)
      .map((entry) => ({
        action: 'events:PutEvents',
        arn: `arn:aws:events:region:account:event-bus/${entry.EventBusName}`,
      }));
  const queue = text('QueueName') ?? text('QueueUrl')?.split('/').at(-1);
  if (queue !== undefined)
    return [{ action: `sqs:${name.replace(/Batch$/, '')}`, arn: `arn:aws:sqs:region:account:${queue}` }];
  const bucket = text('Bucket');
  if (bucket !== undefined && name === 'DeleteObjects') return deletedObjects(bucket, input.Delete);
  if (bucket !== undefined) return [s3Call(name, bucket, text('Key'))];
  const tables =
    text('TableName') === undefined ? Object.keys((input.RequestItems ?? {}) as Input) : [text('TableName')];
  const action = `dynamodb:${DOCUMENT_COMMANDS[name] ?? name}`;
  const index = text('IndexName') === undefined ? '' : `/index/${text('IndexName')}`;
  const more = action === 'dynamodb:UpdateItem' ? updateOf(input) : {};
  return tables.map((table) => ({ action, arn: `arn:aws:dynamodb:region:account:table/${table}${index}`, ...more }));
}

const updateSchema = z.object({
  Key: z.record(z.string(), z.unknown()),
  ExpressionAttributeNames: z.record(z.string(), z.string()),
  ReturnValues: z.string(),
});

function updateOf(input: Input): Pick<RecordedCall, 'attributes' | 'returned'> {
  const { Key, ExpressionAttributeNames, ReturnValues } = updateSchema.parse(input);
  return { attributes: [...Object.keys(Key), ...Object.values(ExpressionAttributeNames)], returned: ReturnValues };
}

const DOCUMENT_COMMANDS: Readonly<Record<string, string>> = {
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  BatchGet: 'BatchGetItem',
  BatchWrite: 'BatchWriteItem',
};

const OBJECT_COMMANDS: Readonly<Record<string, string>> = { HeadObject: 'GetObject', ListObjectsV2: 'ListBucket' };

function deletedObjects(bucket: string, deletion: unknown): readonly RecordedCall[] {
  const { Objects } = z.object({ Objects: z.array(z.object({ Key: z.string() })) }).parse(deletion);
  return Objects.map(({ Key }) => ({ action: 's3:DeleteObject', arn: `arn:aws:s3:::${bucket}/${Key}` }));
}

function s3Call(name: string, bucket: string, key: string | undefined): RecordedCall {
  // Reading a head is reading; a listing is of the bucket.
  const action = OBJECT_COMMANDS[name] ?? name;
  return { action: `s3:${action}`, arn: `arn:aws:s3:::${bucket}${key === undefined ? '' : `/${key}`}` };
}
