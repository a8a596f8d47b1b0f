import { KMSClient } from '@aws-sdk/client-kms';
import { connections, retries } from './client-settings.ts';

/** Apart from the other clients, because only hosts use it, and not all of them. */
export function createKmsClient(): KMSClient {
  return new KMSClient({ ...retries, requestHandler: connections(5_000) });
}
