/** The account and region everything in the local cloud belongs to. No real account has this id. */
export const REGION = 'us-east-1';
export const ACCOUNT_ID = '000000000000';

export const queueArn = (name: string): string => `arn:aws:sqs:${REGION}:${ACCOUNT_ID}:${name}`;
export const functionArn = (name: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:${name}`;
export const busArn = (name: string): string => `arn:aws:events:${REGION}:${ACCOUNT_ID}:event-bus/${name}`;

/** A rule's ARN. AWS leaves the bus out of it for the default bus. */
export const ruleArn = (bus: string, rule: string): string =>
  `arn:aws:events:${REGION}:${ACCOUNT_ID}:rule/${bus === 'default' ? '' : `${bus}/`}${rule}`;

/** ARN of a task of the only cluster. */
export const taskArn = (id: string): string => `arn:aws:ecs:${REGION}:${ACCOUNT_ID}:task/trunkline/${id}`;

/** The last part of an SQS or Lambda ARN: the resource's name. */
export const nameInArn = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);
