import { Aws, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Archive, CfnRule, EventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import * as z from 'zod';
import type { QueueDefinition, RuleDefinition } from '#shared/contracts/resource-shapes.ts';
import { EVENT_SOURCE, shardIds } from '#shared/contracts/resources.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { definedQueue, shardQueues } from '../constructs/shard-queues.ts';
import type { Installation } from '../installation.ts';

const patternSchema = z.looseObject({ detail: z.record(z.string(), z.unknown()).default({}) });

export interface MessagingStackProps extends StackProps {
  readonly installation: Installation;
  readonly dataKey: Key;
}

/** Queues, and the bus with its archive and rules. */
export class MessagingStack extends Stack {
  readonly bus: EventBus;
  readonly shardDeadLetters: Queue;
  /** Every queue but the shards', by name. */
  readonly queues: ReadonlyMap<string, Queue>;

  constructor(scope: Construct, id: string, { installation, dataKey, ...props }: MessagingStackProps) {
    super(scope, id, props);
    const { names, resources, settings, pools } = installation;
    const shardsOf = pools.map(({ name, shards }) => new Set(shardIds(name, shards).map(names.shardQueue)));
    const others = resources.queues.filter(({ name }) => shardsOf.every((shards) => !shards.has(name)));
    const queues = new Map<string, Queue>();
    const isDeadLetters = (definition: QueueDefinition): boolean => definition.deadLetterQueue === undefined;
    // Those that others point at come first.
    for (const definition of [...others].sort((a, b) => Number(isDeadLetters(b)) - Number(isDeadLetters(a)))) {
      const deadLetters = queues.get(definition.deadLetterQueue ?? '');
      // What shards get are ids; the others carry what people write.
      const carriesIds = definition.name === names.queues.shardDeadLetters;
      const queue = definedQueue(this, idOf(definition.name, names.prefix), definition, {
        ...(deadLetters !== undefined && { deadLetters }),
        ...(!carriesIds && { encryptionMasterKey: dataKey }),
      });
      if (deadLetters === undefined) acknowledge(queue, { SQS3: 'It is a dead-letter queue.' });
      queues.set(definition.name, queue);
    }
    this.queues = queues;
    this.shardDeadLetters = this.queueNamed(names.queues.shardDeadLetters);
    for (const [index, id] of ['Shards', 'BrowserShards'].slice(0, pools.length).entries()) {
      const shards = resources.queues.filter(({ name }) => shardsOf[index]?.has(name));
      shardQueues(this, id, shards, this.shardDeadLetters);
    }

    this.bus = new EventBus(this, 'Bus', { eventBusName: names.bus });
    new Archive(this, 'Archive', {
      sourceEventBus: this.bus,
      description: `Events of ${names.prefix}, for replays`,
      eventPattern: { source: [EVENT_SOURCE] },
      retention: Duration.days(settings.archiveDays),
    });
    for (const rule of resources.rules) this.#rule(rule, idOf(rule.name, names.prefix), installation);
  }

  queueNamed(name: string): Queue {
    const queue = this.queues.get(name);
    if (queue === undefined) throw new Error(`The contracts have no queue ${name}`);
    return queue;
  }

  #rule({ name, bus, pattern, targets }: RuleDefinition, id: string, { cluster, settings }: Installation): void {
    const rule = new CfnRule(this, `${id}Rule`, {
      name,
      state: settings.eventStream || id !== 'streams' ? 'ENABLED' : 'DISABLED',
      ...(bus === undefined && { eventBusName: this.bus.eventBusName }),
      eventPattern: bus === 'default' ? ofCluster(pattern, cluster) : pattern,
      targets: targets.map(({ id: target, queue, deadLetterQueue }) => {
        if (queue === undefined) throw new Error(`Rule ${name}: only queues can be targets`);
        return {
          id: target,
          arn: this.queueNamed(queue).queueArn,
          ...(deadLetterQueue !== undefined && {
            deadLetterConfig: { arn: this.queueNamed(deadLetterQueue).queueArn },
          }),
        };
      }),
    });
    const queues = new Set(targets.flatMap(({ queue, deadLetterQueue }) => [queue, deadLetterQueue]));
    for (const queue of queues) {
      if (queue === undefined) continue;
      this.queueNamed(queue).addToResourcePolicy(
        new PolicyStatement({
          principals: [new ServicePrincipal('events.amazonaws.com')],
          actions: ['sqs:SendMessage'],
          resources: [this.queueNamed(queue).queueArn],
          conditions: { ArnEquals: { 'aws:SourceArn': rule.attrArn } },
        }),
      );
    }
  }
}

/** The account's bus hears of every cluster; a rule of ours is for our own. */
function ofCluster(pattern: unknown, cluster: string): unknown {
  const { detail, ...rest } = patternSchema.parse(pattern);
  const clusterArn = [`arn:${Aws.PARTITION}:ecs:${Aws.REGION}:${Aws.ACCOUNT_ID}:cluster/${cluster}`];
  return { ...rest, detail: { ...detail, clusterArn } };
}

const idOf = (name: string, prefix: string): string => name.replace(`${prefix}-`, '').replace(/\.fifo$/, '');
