import { createAwsStreamFanout } from './aws-fanout.ts';

/** Entry point of the function. */
export const handler = createAwsStreamFanout(process.env);
