import { createAwsStreamSender } from './aws-sender.ts';

/** Entry point of the function. */
export const handler = createAwsStreamSender(process.env);
