import { createSecretPepperReader } from '#shared/adapters/secret-pepper-reader.ts';
import { createAwsStreamConnections } from './aws-connections.ts';

/** Entry point of the function. */
export const handler = createAwsStreamConnections(process.env, createSecretPepperReader(process.env));
