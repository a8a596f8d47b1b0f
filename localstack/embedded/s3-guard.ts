import type { IncomingHttpHeaders } from 'node:http';

/** One S3 request, taken apart. `key` is empty for requests about a bucket. */
export interface S3Request {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** Why a request is not let through, in S3's words. */
export interface S3Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/**
 * Query parameters the engine behind the guard understands. It would treat any other sub-resource as a plain request
 * for the object: `PUT key?tagging` would replace the object by its tags.
 */
const UNDERSTOOD = new Set([
  'x-id',
  'uploads',
  'uploadid',
  'partnumber',
  'attributes',
  'delete',
  'list-type',
  'prefix',
  'delimiter',
  'max-keys',
  'continuation-token',
  'start-after',
  'marker',
  'fetch-owner',
]);
const UNDERSTOOD_PREFIXES = ['x-amz-', 'response-'];

const refuse = (status: number, code: string, message: string): S3Refusal => ({ status, code, message });

/**
 * What S3 would refuse and the engine would not: unknown sub-resources (501 here, as the local cloud does not have
 * them), expired presigned URLs, and conditional writes whose condition does not hold.
 *
 * @param currentEtag the object's ETag with its quotes, undefined if there is no object
 */
export function refusalOf(
  request: S3Request,
  currentEtag: () => string | undefined,
  nowMs: number,
): S3Refusal | undefined {
  return unknownSubResource(request) ?? expired(request.query, nowMs) ?? failedPrecondition(request, currentEtag);
}

function unknownSubResource({ method, query, headers }: S3Request): S3Refusal | undefined {
  for (const name of query.keys()) {
    const lower = name.toLowerCase();
    if (UNDERSTOOD.has(lower) || UNDERSTOOD_PREFIXES.some((prefix) => lower.startsWith(prefix))) continue;
    return refuse(501, 'NotImplemented', `The local S3 does not implement ?${name}.`);
  }
  if (method !== 'PUT') return undefined;
  const header = Object.keys(headers).find((name) => name.startsWith('x-amz-copy-source-if-'));
  return header === undefined
    ? undefined
    : refuse(501, 'NotImplemented', `The local S3 does not implement the header ${header}.`);
}

function expired(query: URLSearchParams, nowMs: number): S3Refusal | undefined {
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get('X-Amz-Date') ?? '');
  const seconds = Number(query.get('X-Amz-Expires') ?? Number.NaN);
  if (date === null || Number.isNaN(seconds)) return undefined;
  const [year, month, day, hour, minute, second] = date.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const signedMs = Date.UTC(year, month - 1, day, hour, minute, second);
  return nowMs > signedMs + seconds * 1000 ? refuse(403, 'AccessDenied', 'Request has expired') : undefined;
}

function failedPrecondition(request: S3Request, currentEtag: () => string | undefined): S3Refusal | undefined {
  const { method, key, query, headers } = request;
  if (key === '' || !changesObject(method, query)) return undefined;
  const ifNoneMatch = headers['if-none-match'];
  const ifMatch = headers['if-match'];
  const failed = (condition: string) =>
    refuse(412, 'PreconditionFailed', `At least one of the pre-conditions you specified did not hold: ${condition}`);
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== '*') return refuse(501, 'NotImplemented', 'If-None-Match of a write takes only *.');
    if (currentEtag() !== undefined) return failed('If-None-Match');
  }
  if (ifMatch !== undefined) {
    const etag = currentEtag();
    if (etag === undefined && method !== 'DELETE') {
      return refuse(404, 'NoSuchKey', 'The specified key does not exist.');
    }
    const holds = etag !== undefined && (ifMatch === '*' || unquoted(ifMatch) === unquoted(etag));
    if (!holds) return failed('If-Match');
  }
  return undefined;
}

/** Uploading a part changes nothing yet; completing the upload does. */
function changesObject(method: string, query: URLSearchParams): boolean {
  if (method === 'PUT') return !query.has('partNumber');
  if (method === 'POST') return query.has('uploadId');
  return method === 'DELETE' && !query.has('uploadId');
}

const unquoted = (etag: string): string => etag.replace(/^"|"$/g, '');

/** The response headers a presigned GET may set, e.g. `response-content-disposition`. */
export function responseOverrides(query: URLSearchParams): ReadonlyMap<string, string> {
  const names = ['content-type', 'content-language', 'content-disposition', 'content-encoding', 'cache-control'];
  return new Map(
    names.flatMap((name) => {
      const value = query.get(`response-${name}`);
      return value === null ? [] : [[name, value] as const];
    }),
  );
}
