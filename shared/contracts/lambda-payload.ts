/** What a Lambda function can be given, and can answer, at once: JSON, in bytes. */
export const LAMBDA_PAYLOAD_BYTES = 6 * 1024 * 1024;
