/** What the gateway answers by itself, before or instead of a function. */
export interface GatewayResponse {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** In the form of the HTTP API's own errors. */
export const GATEWAY_RESPONSES = {
  notFound: refusal(404, 'Not Found', 'not-found', 'The API has no such method and path'),
  unauthorized: { status: 401, body: { message: 'Unauthorized', statusCode: 401, code: 'unauthenticated' } },
  forbidden: refusal(403, 'Forbidden', 'forbidden', 'This is not allowed'),
  authorizerFailed: refusal(500, 'Internal Server Error', 'internal', 'The key could not be checked. Try again'),
  throttled: refusal(429, 'Too Many Requests', 'quota', 'Too many requests at once. Try again in a second'),
  quotaExceeded: refusal(429, 'Too Many Requests', 'quota', 'The requests of this month are used up'),
  tooLong: refusal(
    413,
    'Payload Too Large',
    'too-large',
    'The request is too long: it may have 4.5 MiB, which is 3.3 MB of media in base64; larger media goes by URL',
  ),
  badIntegration: refusal(
    502,
    'Bad Gateway',
    'internal',
    'The request failed and may have been carried out in part. Look before trying again',
  ),
  timeout: refusal(
    504,
    'Gateway Timeout',
    'timeout',
    'No answer in 29 seconds. The request may still be carried out: look before trying again',
  ),
} as const satisfies Record<string, GatewayResponse>;

function refusal(statusCode: number, error: string, code: string, message: string): GatewayResponse {
  return { status: statusCode, body: { statusCode, error, message, code } };
}
