import type { SQSClient } from '@aws-sdk/client-sqs';
import PQueue from 'p-queue';
import { nameInArn } from '../aws-identity.ts';
import { type FunctionRegistry, FunctionTimeoutError } from '../function-registry.ts';
import { type DeadLetter, DeliveryError, type Send, type SendDeadLetter } from './delivery-dispatcher.ts';
import type { Delivery } from './event-store.ts';
import { QueueSender } from './queue-sender.ts';

const FUNCTION_CONCURRENCY = 10;

/** The ways out of the bus: SQS queues and functions, by the target's ARN. */
export function createTargets(
  sqs: SQSClient,
  functions: FunctionRegistry,
): { readonly send: Send; readonly sendDeadLetter: SendDeadLetter } {
  const senders = new Map<string, QueueSender>();
  const senderOf = (arn: string): QueueSender => {
    const sender = senders.get(arn) ?? new QueueSender(sqs, arn);
    senders.set(arn, sender);
    return sender;
  };
  const invocations = new PQueue({ concurrency: FUNCTION_CONCURRENCY });

  const send: Send = async (delivery) => {
    const { Arn, SqsParameters } = delivery.target;
    if (Arn.startsWith('arn:aws:sqs:')) {
      const groupId = SqsParameters?.MessageGroupId;
      const deduplicationId = groupId === undefined ? undefined : delivery.eventId;
      return await senderOf(Arn).send({ body: payloadOf(delivery), groupId, deduplicationId });
    }
    await invocations.add(() => invoke(functions, nameInArn(Arn), payloadOf(delivery)));
  };

  const sendDeadLetter: SendDeadLetter = async (delivery, letter) => {
    const fifo = letter.queueArn.endsWith('.fifo');
    await senderOf(letter.queueArn).send({
      body: delivery.event,
      attributes: letterAttributes(delivery, letter),
      groupId: fifo ? delivery.target.Id : undefined,
      deduplicationId: fifo ? delivery.eventId : undefined,
    });
  };

  return { send, sendDeadLetter };
}

/** Can the local bus deliver to this ARN at all? */
export const isKnownTarget = (arn: string): boolean =>
  /^arn:aws:(sqs:[^:]*:[^:]*:|lambda:[^:]*:[^:]*:function:).+$/.test(arn);

async function invoke(functions: FunctionRegistry, name: string, payload: string): Promise<void> {
  if (!functions.has(name)) throw new DeliveryError('NO_RESOURCE', `The function ${name} does not exist.`, false);
  try {
    await functions.invoke(name, JSON.parse(payload));
  } catch (cause) {
    const code = cause instanceof FunctionTimeoutError ? 'TIMEOUT' : 'ERROR_FROM_TARGET';
    throw new DeliveryError(code, String(cause), true);
  }
}

function payloadOf({ target, event }: Delivery): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath === undefined || target.InputPath === '$') return event;
  let part: unknown = JSON.parse(event);
  for (const name of target.InputPath.split('.').slice(1)) {
    part = typeof part === 'object' && part !== null ? Reflect.get(part, name) : undefined;
  }
  return JSON.stringify(part ?? null);
}

function letterAttributes(delivery: Delivery, letter: DeadLetter): Readonly<Record<string, string>> {
  return {
    RULE_ARN: delivery.ruleArn,
    TARGET_ARN: delivery.target.Arn,
    ERROR_CODE: letter.errorCode,
    ERROR_MESSAGE: letter.errorMessage,
    RETRY_ATTEMPTS: String(letter.attempts - 1),
    ...(letter.exhausted === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: letter.exhausted }),
  };
}
