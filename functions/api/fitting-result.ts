import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { APIGatewayProxyResult } from 'aws-lambda';
import type { Operation } from '#shared/contracts/api/operation.ts';
import { LAMBDA_PAYLOAD_BYTES } from '#shared/contracts/lambda-payload.ts';
import { ValidationError } from '#shared/domain/errors.ts';

const compress = promisify(gzip);

const COMPRESSED_FROM_LENGTH = 1024 * 1024;
/** What is left for the headers that every answer gets. */
const HEADERS_BYTES = 16 * 1024;

/**
 * The answer as Lambda takes it: a large one compressed, if the client takes that. API Gateway decodes the base64, because all
 * media types are binary for it (`BINARY_MEDIA_TYPES`), and hands `content-encoding` on.
 *
 * @param acceptEncoding the request's header
 * @throws ValidationError when it does not fit all the same
 */
export async function fittingResult(
  operation: Operation,
  result: APIGatewayProxyResult,
  acceptEncoding: string | undefined,
): Promise<APIGatewayProxyResult> {
  // JSON in JSON takes three bytes a character at most: what is shorter than this fits in any case.
  if (result.body.length < COMPRESSED_FROM_LENGTH) return result;
  const isGzip = !result.isBase64Encoded && acceptsGzip(acceptEncoding);
  const sent = isGzip ? await compressed(result) : result;
  const bytes = Buffer.byteLength(JSON.stringify(sent)) + HEADERS_BYTES;
  if (bytes > LAMBDA_PAYLOAD_BYTES) throw tooLarge(operation, bytes, isGzip);
  return { ...sent, headers: { ...sent.headers, vary: 'accept-encoding' } };
}

async function compressed({ headers, body, ...result }: APIGatewayProxyResult): Promise<APIGatewayProxyResult> {
  return {
    ...result,
    headers: { ...headers, 'content-encoding': 'gzip' },
    body: (await compress(body)).toString('base64'),
    isBase64Encoded: true,
  };
}

function acceptsGzip(acceptEncoding = ''): boolean {
  return acceptEncoding.split(',').some((coding) => {
    const [name, quality = 'q=1'] = coding.toLowerCase().split(';');
    return name?.trim() === 'gzip' && !/^\s*q=0(\.0*)?\s*$/.test(quality);
  });
}

function tooLarge({ request }: Operation, bytes: number, isGzip: boolean): ValidationError {
  const inBody = request.body !== undefined && 'pagination' in request.body.shape;
  const path = inBody ? 'pagination.limit' : 'query.limit';
  const has = `the answer would have ${mebibytes(bytes)} MiB${isGzip ? ', compressed,' : ''}`;
  const message = `must be smaller: ${has} and may have ${mebibytes(LAMBDA_PAYLOAD_BYTES)}`;
  const orElse = isGzip ? '' : '. Many more fit with the header Accept-Encoding: gzip';
  return new ValidationError([{ path, message: `${message}${orElse}` }]);
}

function mebibytes(bytes: number): string {
  return String(Number((bytes / 1024 / 1024).toFixed(1)));
}
