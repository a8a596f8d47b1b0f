import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { type EventEnvelope, eventEnvelopeSchema } from '#shared/contracts/events.ts';
import { BUS, EVENT_SOURCE } from '#shared/contracts/resources.ts';
import type { LocalCloud } from '../embedded/local-cloud.ts';
import { until } from './until.ts';

const busEventSchema = z.object({ detail: eventEnvelopeSchema });

/** What a user would do to get events into a system of theirs: a queue of their own, and a rule on the bus. */
export interface RuleTarget {
  /** The first event, from the beginning, for which `wanted` holds. */
  next(wanted: (envelope: EventEnvelope & { payload: { body?: string } }) => boolean): Promise<EventEnvelope>;
  /** From this call on: reads the session's statuses so far, in order of `seq`. */
  statusesFromNow(): () => Promise<readonly string[]>;
}

export async function createRuleTarget({ clients }: Pick<LocalCloud, 'clients'>): Promise<RuleTarget> {
  const { QueueUrl } = await clients.sqs.send(new CreateQueueCommand({ QueueName: 'my-own-queue' }));
  if (QueueUrl === undefined) throw new Error('SQS made no queue.');
  const { Attributes } = await clients.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const EventPattern = JSON.stringify({
    source: [EVENT_SOURCE],
    'detail-type': ['message', 'poll.vote', 'session.status'],
  });
  await clients.eventBridge.send(new PutRuleCommand({ Name: 'my-own-rule', EventBusName: BUS, EventPattern }));
  const Targets = [{ Id: 'queue', Arn: Attributes?.QueueArn ?? '' }];
  await clients.eventBridge.send(new PutTargetsCommand({ Rule: 'my-own-rule', EventBusName: BUS, Targets }));

  const seen: EventEnvelope[] = [];
  const receive = async () => {
    const { Messages = [] } = await clients.sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    for (const { Body, ReceiptHandle } of Messages) {
      seen.push(busEventSchema.parse(JSON.parse(Body ?? '')).detail);
      await clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  };
  return {
    next: (wanted) =>
      until('the event', async () => {
        // The predicate looks at fields that only some payloads have.
        const found = seen.find((envelope) => wanted(envelope as Parameters<typeof wanted>[0]));
        if (found === undefined) await receive();
        return found;
      }),
    statusesFromNow: () => {
      const from = Math.max(0, ...seen.map((envelope) => envelope.seq));
      return async () => {
        await receive();
        return seen
          .filter((envelope) => envelope.seq > from)
          .sort((a, b) => a.seq - b.seq)
          .flatMap((envelope) => (envelope.event === 'session.status' ? [envelope.payload.status] : []));
      };
    },
  };
}
