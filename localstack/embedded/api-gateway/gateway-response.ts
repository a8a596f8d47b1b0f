import type { ServerResponse } from 'node:http';
import * as z from 'zod';
import type { GatewayResponse } from '#shared/contracts/api/gateway-responses.ts';
import { REQUEST_ID_HEADER } from '#shared/contracts/api/routes.ts';
import { type CorsOptions, corsHeaders } from './cors.ts';

export function sendGatewayResponse(
  response: ServerResponse,
  { status, body }: GatewayResponse,
  requestId: string,
  cors: CorsOptions | undefined,
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': requestId,
    [REQUEST_ID_HEADER]: requestId,
    ...(cors === undefined ? {} : corsHeaders(cors)),
    // The body of a request refused for its length may not have been read to its end.
    ...(status === 413 ? { connection: 'close' } : {}),
  });
  response.end(text);
}

const headerValue = z.union([z.string(), z.number(), z.boolean()]);
const proxyResultSchema = z.object({
  statusCode: z.coerce.number().int().min(200).max(599),
  headers: z.record(z.string(), headerValue).nullish(),
  multiValueHeaders: z.record(z.string(), z.array(headerValue)).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
});

/** Writes what a function answered; false if the answer is not of the form API Gateway takes. */
export function sendProxyResult(response: ServerResponse, result: unknown, requestId: string): boolean {
  const parsed = proxyResultSchema.safeParse(result);
  if (!parsed.success) return false;
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = parsed.data;
  const bytes = Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8');
  response.setHeader('content-type', 'application/json');
  try {
    for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, String(value));
    for (const [name, values] of Object.entries(multiValueHeaders ?? {})) response.setHeader(name, values.map(String));
  } catch {
    // A header no HTTP answer can carry.
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    return false;
  }
  response.setHeader('content-length', bytes.length);
  response.setHeader('x-amzn-requestid', requestId);
  response.writeHead(statusCode);
  response.end(bytes);
  return true;
}
