import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateEventBusCommand,
  DeleteRuleCommand,
  DescribeEventBusCommand,
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type Target,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { functionArn, queueArn, ruleArn } from '../aws-identity.ts';
import { FunctionRegistry } from '../function-registry.ts';
import type { Listener } from '../loopback-listener.ts';
import { startSqsS3 } from '../sqs-s3.ts';
import { ManualClock } from '../test-support/manual-clock.ts';
import { until } from '../test-support/until.ts';
import { type EventBridge, type EventBridgeOptions, startEventBridge } from './event-bridge.ts';

const account = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const BUS = 'trunkline';

let queues: Listener;
let sqs: SQSClient;
let functions: FunctionRegistry;
let bridge: EventBridge;
let client: EventBridgeClient;

beforeEach(async () => {
  queues = await startSqsS3();
  sqs = new SQSClient({ ...account, endpoint: queues.url });
  functions = new FunctionRegistry();
});
afterEach(async () => {
  await bridge.close();
  await queues.close();
});

async function start(options: Partial<EventBridgeOptions> = {}): Promise<void> {
  bridge = await startEventBridge({ sqs, functions, ...options });
  client = new EventBridgeClient({ ...account, endpoint: bridge.url });
}

async function rule(targets: Target[], pattern: unknown = { source: ['trunkline'] }): Promise<void> {
  await client.send(new CreateEventBusCommand({ Name: BUS }));
  const EventPattern = JSON.stringify(pattern);
  await client.send(new PutRuleCommand({ Name: 'all', EventBusName: BUS, EventPattern }));
  await client.send(new PutTargetsCommand({ Rule: 'all', EventBusName: BUS, Targets: targets }));
}

const event = (detail: unknown = {}) => ({
  Source: 'trunkline',
  DetailType: 'message',
  Detail: JSON.stringify(detail),
  EventBusName: BUS,
});
const put = (...Entries: ReturnType<typeof event>[]) => client.send(new PutEventsCommand({ Entries }));

const queue = async (name: string) => {
  const Attributes = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
  return (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }))).QueueUrl;
};
const receive = (QueueUrl: string | undefined) =>
  until(async () => {
    const command = new ReceiveMessageCommand({
      QueueUrl,
      WaitTimeSeconds: 1,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
    return (await sqs.send(command)).Messages?.[0];
  });

describe('PutEvents', () => {
  it('brings the event to a queue, in the form targets get it', async () => {
    await start();
    const url = await queue('out');
    await rule([{ Id: 'out', Arn: queueArn('out') }]);
    const { FailedEntryCount, Entries } = await put(event({ a: 1 }));
    expect(FailedEntryCount).toBe(0);
    expect(JSON.parse((await receive(url)).Body ?? '')).toEqual({
      version: '0',
      id: Entries?.[0]?.EventId,
      'detail-type': 'message',
      source: 'trunkline',
      account: '000000000000',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      region: 'us-east-1',
      resources: [],
      detail: { a: 1 },
    });
  });

  it('takes events of services on the default bus, where rules meet them like any other', async () => {
    await start();
    const url = await queue('out');
    const EventPattern = JSON.stringify({ source: ['aws.ecs'], detail: { lastStatus: ['STOPPED'] } });
    await client.send(new PutRuleCommand({ Name: 'stopped', EventPattern }));
    await client.send(new PutTargetsCommand({ Rule: 'stopped', Targets: [{ Id: 'out', Arn: queueArn('out') }] }));
    const change = { source: 'aws.ecs', detailType: 'ECS Task State Change', resources: ['arn:task'] };
    bridge.takeServiceEvent({ ...change, detail: { lastStatus: 'RUNNING' } });
    bridge.takeServiceEvent({ ...change, detail: { lastStatus: 'STOPPED' } });
    expect(JSON.parse((await receive(url)).Body ?? '')).toMatchObject({
      'detail-type': 'ECS Task State Change',
      source: 'aws.ecs',
      resources: ['arn:task'],
      detail: { lastStatus: 'STOPPED' },
    });
  });

  it('brings every character to a queue', async () => {
    await start();
    const url = await queue('out');
    await rule([{ Id: 'out', Arn: queueArn('out') }]);
    const text = 'Grüße 👋🏽 \u{10ffff} \uffff \u0000 \u2028 "quoted" \\u0041';
    await put(event({ text }));
    expect(JSON.parse((await receive(url)).Body ?? '').detail).toEqual({ text });
  });

  it('brings a burst of events to every target of every matching rule', async () => {
    const seen: number[] = [];
    functions.addAll({
      sink: { handler: async (received: { detail: { n: number } }) => seen.push(received.detail.n) },
    });
    await start();
    await rule([
      { Id: 'one', Arn: functionArn('sink') },
      { Id: 'two', Arn: functionArn('sink') },
    ]);
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => put(...Array.from({ length: 10 }, (_, j) => event({ n: i * 10 + j })))),
    );
    await until(() => (seen.length === 200 ? true : undefined));
    expect(new Set(seen).size).toBe(100);
  });

  it('gives a FIFO queue the group of the target, and a part of the event if asked', async () => {
    await start();
    const url = await queue('out.fifo');
    const target = {
      Id: 'f',
      Arn: queueArn('out.fifo'),
      SqsParameters: { MessageGroupId: 'g' },
      InputPath: '$.detail.a',
    };
    await rule([target]);
    await put(event({ a: [1, 2] }));
    const message = await receive(url);
    expect([message.Body, message.Attributes?.MessageGroupId]).toEqual(['[1,2]', 'g']);
  });

  it('refuses bad entries one by one', async () => {
    await start();
    await rule([]).catch(() => {});
    const { FailedEntryCount, Entries } = await put(
      { ...event(), Source: '' },
      { ...event(), Detail: '{"a":' },
      { ...event(), Detail: '[]' },
      { ...event(), Source: 'aws.ec2' },
      { ...event(), EventBusName: 'other' },
      event('x'.repeat(300 * 1024)),
      event(),
    );
    expect(FailedEntryCount).toBe(6);
    expect(Entries?.map((entry) => entry.ErrorCode)).toEqual([
      'InvalidArgument',
      'MalformedDetail',
      'MalformedDetail',
      'NotAuthorizedForSourceException',
      'ResourceNotFoundException',
      'InvalidArgument',
      undefined,
    ]);
  });

  it('refuses more than ten entries and more than 1 MiB as a whole', async () => {
    await start();
    await expect(put(...Array.from({ length: 11 }, () => event()))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    const large = event({ a: 'x'.repeat(220 * 1024) });
    await expect(put(large, large, large, large, large)).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('delivery', () => {
  const flaky = (failures: number) => {
    let calls = 0;
    functions.addAll({
      flaky: {
        handler: async () => {
          if (++calls <= failures) throw new Error('not yet');
        },
      },
    });
    return () => calls;
  };
  const runAll = async (clock: ManualClock, times: number) => {
    const delays: number[] = [];
    for (let i = 0; i < times; i++) {
      delays.push(await until(() => clock.delays()[0]));
      clock.runNext();
    }
    return delays;
  };

  it('is tried again with growing delays until it succeeds', async () => {
    const clock = new ManualClock();
    const calls = flaky(4);
    await start({ clock, random: () => 1 });
    await rule([{ Id: 'f', Arn: functionArn('flaky') }]);
    await put(event());
    expect(await runAll(clock, 4)).toEqual([200, 400, 800, 1600]);
    await until(() => (calls() === 5 ? true : undefined));
  });

  it('ends on the dead letter queue when the attempts are used up', async () => {
    const clock = new ManualClock();
    flaky(100);
    await start({ clock });
    const url = await queue('dead');
    const RetryPolicy = { MaximumRetryAttempts: 2 };
    const DeadLetterConfig = { Arn: queueArn('dead') };
    await rule([{ Id: 'f', Arn: functionArn('flaky'), RetryPolicy, DeadLetterConfig }]);
    await put(event({ a: 1 }));
    await runAll(clock, 2);
    const letter = await receive(url);
    expect(JSON.parse(letter.Body ?? '').detail).toEqual({ a: 1 });
    const attributes = Object.entries(letter.MessageAttributes ?? {}).map(([name, { StringValue }]) => [
      name,
      StringValue,
    ]);
    expect(Object.fromEntries(attributes)).toEqual({
      RULE_ARN: ruleArn(BUS, 'all'),
      TARGET_ARN: functionArn('flaky'),
      ERROR_CODE: 'ERROR_FROM_TARGET',
      ERROR_MESSAGE: 'Error: not yet',
      RETRY_ATTEMPTS: '2',
      EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
    });
  });

  it('ends when the event is too old', async () => {
    const clock = new ManualClock();
    const dropped: string[] = [];
    flaky(100);
    await start({ clock, onDropped: (_delivery, error) => dropped.push(error.code) });
    await rule([{ Id: 'f', Arn: functionArn('flaky'), RetryPolicy: { MaximumEventAgeInSeconds: 60 } }]);
    await put(event());
    await until(() => {
      clock.runNext();
      return dropped[0];
    });
    expect(dropped).toEqual(['ERROR_FROM_TARGET']);
  });

  it('does not try again where there is no target', async () => {
    await start({ clock: new ManualClock() });
    const url = await queue('dead');
    await rule([{ Id: 'q', Arn: queueArn('nowhere'), DeadLetterConfig: { Arn: queueArn('dead') } }]);
    await put(event());
    expect((await receive(url)).MessageAttributes?.ERROR_CODE?.StringValue).toBe('NO_RESOURCE');
  });

  it('goes on after a restart, with the rules that were there', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bus-'));
    try {
      const calls = flaky(1);
      const clock = new ManualClock();
      await start({ path: directory, clock });
      await rule([{ Id: 'f', Arn: functionArn('flaky') }]);
      await put(event());
      await until(() => clock.delays()[0]);
      await bridge.close();
      expect(calls()).toBe(1);

      await start({ path: directory });
      bridge.resume();
      await until(() => (calls() === 2 ? true : undefined));
      await put(event());
      await until(() => (calls() === 3 ? true : undefined));
      await bridge.close();

      await start({ path: directory });
      bridge.resume();
      await put(event());
      await until(() => (calls() === 4 ? true : undefined));
      await bridge.close();
      expect(calls()).toBe(4);
      await start();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('rules', () => {
  it('are listed, changed and deleted', async () => {
    await start();
    await rule([{ Id: 'a', Arn: queueArn('a') }]);
    const at = { Rule: 'all', EventBusName: BUS };
    const EventPattern = '{"source":["other"]}';
    await client.send(new PutRuleCommand({ Name: 'all', EventBusName: BUS, EventPattern, State: 'DISABLED' }));
    const { Rules } = await client.send(new ListRulesCommand({ EventBusName: BUS }));
    expect(Rules).toMatchObject([{ Name: 'all', EventPattern, State: 'DISABLED', Arn: ruleArn(BUS, 'all') }]);
    const { Targets } = await client.send(new ListTargetsByRuleCommand(at));
    expect(Targets).toEqual([{ Id: 'a', Arn: queueArn('a') }]);
    const remove = new DeleteRuleCommand({ Name: 'all', EventBusName: BUS });
    await expect(client.send(remove)).rejects.toMatchObject({ name: 'ValidationException' });
    await client.send(new RemoveTargetsCommand({ ...at, Ids: ['a'] }));
    await client.send(remove);
    expect((await client.send(new ListRulesCommand({ EventBusName: BUS }))).Rules).toEqual([]);
  });

  it('are refused with an invalid pattern or a target nobody can reach', async () => {
    await start();
    await rule([{ Id: 'a', Arn: queueArn('a') }]);
    const bad = new PutRuleCommand({ Name: 'bad', EventBusName: BUS, EventPattern: '{"source":"x"}' });
    await expect(client.send(bad)).rejects.toMatchObject({ name: 'InvalidEventPatternException' });
    await expect(
      client.send(
        new PutTargetsCommand({
          Rule: 'all',
          EventBusName: BUS,
          Targets: [{ Id: 'b', Arn: 'arn:aws:sns:us-east-1:1:t' }],
        }),
      ),
    ).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('belong to a bus that exists', async () => {
    await start();
    await expect(client.send(new DescribeEventBusCommand({ Name: 'no' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    expect((await client.send(new DescribeEventBusCommand({}))).Name).toBe('default');
  });

  it('can be tried with TestEventPattern', async () => {
    await start();
    const Event = JSON.stringify({ source: 'a' });
    const test = (EventPattern: string) => client.send(new TestEventPatternCommand({ EventPattern, Event }));
    expect((await test('{"source":["a"]}')).Result).toBe(true);
    expect((await test('{"source":["b"]}')).Result).toBe(false);
    await expect(test('{"source":[]}')).rejects.toMatchObject({ name: 'InvalidEventPatternException' });
  });
});

it('listens on the loopback address only', async () => {
  await start();
  expect(bridge.host).toBe('127.0.0.1');
});
