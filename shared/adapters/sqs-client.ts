import { SQSClient } from '@aws-sdk/client-sqs';
import { connections, retries } from './client-settings.ts';

/** A long poll is silent for 20 s. Queue URLs of a local queue name a host that need not resolve. */
export function createSqsClient(): SQSClient {
  return new SQSClient({ ...retries, requestHandler: connections(30_000), useQueueUrlAsEndpoint: false });
}
