import type { APIGatewayProxyResult } from 'aws-lambda';
import type { Operation } from '#shared/contracts/api/operation.ts';

/** What a handler answers. Without a `status` it is the operation's own. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content:
    | { readonly kind: 'none' }
    | { readonly kind: 'json'; readonly value: unknown }
    | { readonly kind: 'text'; readonly text: string; readonly mimetype: string }
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly mimetype: string };
}

export function json(value: unknown, status?: number, headers?: Readonly<Record<string, string>>): Reply {
  return { content: { kind: 'json', value }, ...(status ? { status } : {}), ...(headers ? { headers } : {}) };
}

export function nothing(): Reply {
  return { content: { kind: 'none' } };
}

export function bytes(body: Uint8Array, mimetype: string): Reply {
  return { content: { kind: 'bytes', bytes: body, mimetype } };
}

export function toResult(operation: Operation, reply: Reply): APIGatewayProxyResult {
  const statusCode = reply.status ?? operation.response.status;
  const headers = { 'cache-control': 'no-store', ...reply.headers };
  const { content } = reply;
  switch (content.kind) {
    case 'none':
      return { statusCode, headers, body: '' };
    case 'json':
      return jsonResult(statusCode, content.value, headers);
    case 'text':
      return { statusCode, headers: { ...headers, 'content-type': content.mimetype }, body: content.text };
    case 'bytes':
      return {
        statusCode,
        headers: { ...headers, 'content-type': content.mimetype },
        body: Buffer.from(content.bytes).toString('base64'),
        isBase64Encoded: true,
      };
  }
}

export function jsonResult(
  statusCode: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyResult {
  return {
    statusCode,
    headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(value),
  };
}
