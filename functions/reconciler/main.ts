import middy from '@middy/core';
import type { ScheduledEvent } from 'aws-lambda';
import { createAwsReconciler } from './aws-reconciler.ts';
import type { Reconciled } from './reconciler.ts';

/** Entry point of the function. */
export const handler = middy<ScheduledEvent, Reconciled>().handler(createAwsReconciler(process.env));
