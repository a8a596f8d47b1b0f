import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { TASK_ENDS_PATTERN } from '#shared/contracts/fleet-events.ts';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import { resourceNames, shardIds } from '#shared/contracts/resources.ts';
import { FUNCTION_RIGHTS, type FunctionRights } from '../../infra/stacks/function-rights.ts';
import { createResolver } from './support/resolve.ts';
import { type Resource, resourcesOf, synthesize, type Template } from './support/synthesis.ts';

const SHARDS = 450;
const synthesis = synthesize('prod', { shards: String(SHARDS) });
const names = resourceNames({ RESOURCE_PREFIX: 'trunkline-prod', BUCKET_SUFFIX: '' });
const definition = resourceDefinition(SHARDS, names);
const { text } = createResolver(synthesis, 'prod');
const { messaging, functions } = synthesis.stacks;
if (messaging === undefined || functions === undefined) throw new Error('stacks are missing');

const queuesOf = (template: Template): readonly Resource[] => resourcesOf(template, 'AWS::SQS::Queue');

describe('shard queues', () => {
  const queues = synthesis.nested.flatMap(queuesOf);

  it('are there for each shard, in nested stacks that have room for them', () => {
    expect(queues.map(({ Properties }) => Properties.QueueName).sort()).toEqual(
      shardIds('socket', SHARDS).map(names.shardQueue).sort(),
    );
    expect(synthesis.nested).toHaveLength(3);
    for (const nested of synthesis.nested) expect(Object.keys(nested.Resources).length).toBeLessThanOrEqual(500);
  });

  it('keep order and know duplicates per group, encrypt, and put poison aside', () => {
    for (const { Properties } of queues) {
      expect(Properties).toMatchObject({
        FifoQueue: true,
        DeduplicationScope: 'messageGroup',
        FifoThroughputLimit: 'perMessageGroupId',
        SqsManagedSseEnabled: true,
        VisibilityTimeout: 15,
        MessageRetentionPeriod: 1_209_600,
        RedrivePolicy: { maxReceiveCount: 1000 },
      });
    }
  });

  it('take no message over plain HTTP', () => {
    for (const nested of synthesis.nested) {
      const policies = resourcesOf(nested, 'AWS::SQS::QueuePolicy');
      expect(policies).toHaveLength(queuesOf(nested).length);
      for (const { Properties } of policies)
        expect(JSON.stringify(Properties)).toContain('"aws:SecureTransport":"false"');
    }
  });
});

describe('the other queues', () => {
  const queues = new Map(queuesOf(messaging).map((queue) => [queue.Properties.QueueName, queue.Properties]));

  it('are those of the contracts, with their dead-letter queues', () => {
    const shards = new Set(shardIds('socket', SHARDS).map(names.shardQueue));
    const wanted = definition.queues.filter(({ name }) => !shards.has(name));
    expect([...queues.keys()].sort()).toEqual(wanted.map(({ name }) => name).sort());
    for (const { name, deadLetterQueue, maxReceiveCount = 10, visibilityTimeoutSeconds } of wanted) {
      const properties = queues.get(name);
      expect(properties?.VisibilityTimeout).toBe(visibilityTimeoutSeconds);
      if (deadLetterQueue === undefined) continue;
      const redrive = properties?.RedrivePolicy as { deadLetterTargetArn: unknown; maxReceiveCount: number };
      expect(text(redrive.deadLetterTargetArn, messaging)).toBe(`arn:aws:sqs:region:account:${deadLetterQueue}`);
      expect(redrive.maxReceiveCount).toBe(maxReceiveCount);
    }
  });

  it('encrypt what people write under our own key', () => {
    const { shardDeadLetters, ...others } = names.queues;
    for (const name of Object.values(others)) expect(queues.get(name)?.KmsMasterKeyId).toBeDefined();
    expect(queues.get(shardDeadLetters)).toMatchObject({ FifoQueue: true, SqsManagedSseEnabled: true });
  });
});

describe('the bus', () => {
  it('has the rules of the contracts, whose targets may be written to and have dead-letter queues', () => {
    const rules = resourcesOf(messaging, 'AWS::Events::Rule').map(({ Properties }) => ({
      name: Properties.Name,
      ...(Properties.EventBusName === undefined && { bus: 'default' }),
      pattern: Properties.EventPattern,
      targets: (Properties.Targets as { Id: string; Arn: unknown; DeadLetterConfig: { Arn: unknown } }[]).map(
        (target) => ({
          id: target.Id,
          queue: text(target.Arn, messaging).split(':').at(-1),
          deadLetterQueue: text(target.DeadLetterConfig.Arn, messaging).split(':').at(-1),
        }),
      ),
    }));
    expect(rules).toEqual(
      definition.rules.map((rule) => (rule.bus === undefined ? rule : { ...rule, pattern: expect.anything() })),
    );
  });

  it('may write to the queues of each rule, in the name of that rule alone', () => {
    const statementSchema = z.looseObject({
      Effect: z.string(),
      Principal: z.unknown(),
      Action: z.unknown(),
      Resource: z.unknown(),
      Condition: z.looseObject({ ArnEquals: z.object({ 'aws:SourceArn': z.unknown() }).optional() }).optional(),
    });
    const policySchema = z.object({ PolicyDocument: z.object({ Statement: z.array(statementSchema) }) });
    const ids = new Map(resourcesOf(messaging, 'AWS::Events::Rule').map(({ id, Properties }) => [Properties.Name, id]));
    const allowed = resourcesOf(messaging, 'AWS::SQS::QueuePolicy')
      .flatMap(({ Properties }) => policySchema.parse(Properties).PolicyDocument.Statement)
      .filter(({ Effect }) => Effect === 'Allow')
      .map(({ Principal, Action, Resource, Condition }) => {
        expect({ Principal, Action }).toEqual({
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
        });
        const queue = text(Resource, messaging).split(':').at(-1);
        return `${text(Condition?.ArnEquals?.['aws:SourceArn'], messaging)} to ${queue}`;
      });
    const wanted = definition.rules.flatMap(({ name, targets }) =>
      targets.flatMap(({ queue, deadLetterQueue }) =>
        [queue, deadLetterQueue].map((one) => `arn:${ids.get(name)} to ${one}`),
      ),
    );
    expect(allowed.sort()).toEqual([...new Set(wanted)].sort());
  });

  it('hears on the account’s bus of the ends of its own cluster’s tasks', () => {
    const ofAccount = resourcesOf(messaging, 'AWS::Events::Rule').filter(
      ({ Properties }) => Properties.EventBusName === undefined,
    );
    expect(ofAccount).toHaveLength(1);
    expect(ofAccount[0]?.Properties.EventPattern).toMatchObject(TASK_ENDS_PATTERN);
    const { clusterArn } = z
      .object({ detail: z.object({ clusterArn: z.array(z.unknown()).length(1) }) })
      .parse(ofAccount[0]?.Properties.EventPattern).detail;
    expect(text(clusterArn[0], messaging)).toBe('arn:aws:ecs:region:account:cluster/trunkline-prod');
  });

  it('has an archive of the platform’s events', () => {
    const [archive] = resourcesOf(messaging, 'AWS::Events::Archive');
    expect(archive?.Properties).toMatchObject({ RetentionDays: 14, EventPattern: { source: ['trunkline'] } });
  });
});

describe('functions are called', () => {
  it('by the queues of the contracts, and say which messages failed', () => {
    const mappings = resourcesOf(functions, 'AWS::Lambda::EventSourceMapping').map(({ Properties }) => ({
      queue: text(Properties.EventSourceArn, functions).split(':').at(-1),
      function: text(Properties.FunctionName, functions).replace('trunkline-prod-', ''),
      batchSize: Properties.BatchSize,
      concurrency: z.object({ MaximumConcurrency: z.number() }).parse(Properties.ScalingConfig).MaximumConcurrency,
      answers: Properties.FunctionResponseTypes,
    }));
    expect(mappings).toEqual(
      definition.eventSources.map((source) => ({ ...source, answers: ['ReportBatchItemFailures'] })),
    );
  });

  it('by all queues together so seldom at once that most of an account’s calls are left to the API', () => {
    for (const { queue, concurrency } of definition.eventSources) {
      expect(concurrency, queue).toBeGreaterThanOrEqual(2);
      expect(concurrency, queue).toBeLessThanOrEqual(1_000);
    }
    const all = definition.eventSources.reduce((sum, { concurrency }) => sum + concurrency, 0);
    expect(all).toBeLessThanOrEqual(250);
    const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
    expect(runbook).toContain(`queues take ${all} of them at most`);
  });

  it('for less time than a message of their queue is invisible, so that none is with two of them', () => {
    for (const { queue, function: name } of definition.eventSources) {
      const made = resourcesOf(functions, 'AWS::Lambda::Function').find(
        ({ Properties }) => Properties.FunctionName === `trunkline-prod-${name}`,
      );
      const visible = definition.queues.find((candidate) => candidate.name === queue)?.visibilityTimeoutSeconds ?? 0;
      expect(Number(made?.Properties.Timeout)).toBeLessThan(visible);
    }
  });

  it('by what they have sent themselves, over and over, only where such a chain is meant and ends', () => {
    const rights = new Map<string, FunctionRights>(Object.entries(FUNCTION_RIGHTS));
    const fedBy = (name: string): readonly string[] => {
      const written = (rights.get(name)?.queues ?? []).map((id) => names.queues[id]);
      return definition.eventSources.flatMap((source) => (written.includes(source.queue) ? [source.function] : []));
    };
    const reached = (from: readonly string[], seen: readonly string[] = []): readonly string[] => {
      const fresh = [...new Set(from)].filter((name) => !seen.includes(name));
      return fresh.length === 0 ? seen : reached(fresh.flatMap(fedBy), [...seen, ...fresh]);
    };
    const inChains = [...rights.keys()].filter((name) => reached(fedBy(name)).includes(name));
    expect(inChains.sort()).toEqual(['stream-fanout', 'stream-sender', 'webhook-dispatcher', 'webhook-fanout']);
    const allowed = resourcesOf(functions, 'AWS::Lambda::Function').flatMap(({ Properties }) =>
      Properties.RecursiveLoop === 'Allow' ? [String(Properties.FunctionName).replace('trunkline-prod-', '')] : [],
    );
    expect(allowed.sort()).toEqual(inChains);
  });

  it('by the schedules of the contracts', () => {
    const rules = resourcesOf(functions, 'AWS::Events::Rule').map(({ Properties }) => ({
      name: Properties.Name,
      rate: Properties.ScheduleExpression,
      function: text((Properties.Targets as { Arn: unknown }[])[0]?.Arn, functions)
        .split(':')
        .at(-1),
    }));
    expect(rules).toEqual(
      definition.schedules.map(({ name, function: target, everySeconds }) => ({
        name,
        rate: everySeconds === 60 ? 'rate(1 minute)' : `rate(${everySeconds / 60} minutes)`,
        function: `trunkline-prod-${target}`,
      })),
    );
  });
});
