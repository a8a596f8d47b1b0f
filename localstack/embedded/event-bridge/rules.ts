import * as z from 'zod';

/** Where a rule sends its events: the part of EventBridge's Target the local bus knows. Anything else is refused. */
export const targetSchema = z.strictObject({
  Id: z.string().min(1).max(64),
  Arn: z.string().startsWith('arn:'),
  RoleArn: z.string().optional(),
  /** Constant JSON text sent instead of the event. */
  Input: z.string().optional(),
  /** JSON path of the part to send, e.g. `$.detail`. */
  InputPath: z.string().startsWith('$').optional(),
  SqsParameters: z.strictObject({ MessageGroupId: z.string().optional() }).optional(),
  DeadLetterConfig: z.strictObject({ Arn: z.string().optional() }).optional(),
  RetryPolicy: z
    .strictObject({
      MaximumRetryAttempts: z.int().min(0).max(185).optional(),
      MaximumEventAgeInSeconds: z.int().min(60).max(86_400).optional(),
    })
    .optional(),
});

export type Target = z.infer<typeof targetSchema>;

export interface Rule {
  readonly bus: string;
  readonly name: string;
  /** The event pattern as JSON text. */
  readonly pattern: string;
  readonly enabled: boolean;
  readonly description?: string | undefined;
  readonly targets: readonly Target[];
}
