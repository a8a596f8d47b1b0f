import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as z from 'zod';
import type { Operation } from '#shared/contracts/api/operation.ts';
import { type FieldIssue, ValidationError } from '#shared/domain/errors.ts';
import { issueMessage } from './issue-message.ts';
import { shownName, unknownField } from './unknown-field.ts';

/** Of a request that is wrong in more places these are told; an answer may not become longer than Lambda lets it. */
const MOST_ISSUES = 50;

export interface ParsedParts {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/**
 * Parses a request by the operation's schemas; unknown fields are dropped, or refused by a strict one. Paths of issues: `path.chatId`,
 * `query.limit`, and for bodies the field itself, `file.url`.
 *
 * @param sentBody see `readJsonBody`
 * @throws ValidationError with the issues of all parts
 */
export function parseRequest(operation: Operation, event: APIGatewayProxyEvent, sentBody: unknown): ParsedParts {
  const issues: FieldIssue[] = [];
  const parse = (schema: z.ZodType | undefined, value: unknown, part: string): unknown => {
    if (schema === undefined) return {};
    const result = schema.safeParse(value, { error: issueMessage });
    if (result.success) return result.data;
    for (const issue of result.error.issues.slice(0, MOST_ISSUES)) issues.push(...fieldIssues(part, schema, issue));
    return undefined;
  };
  const { params, query, body } = operation.request;
  const parsed = {
    params: parse(params, decodeParams(event.pathParameters, issues), 'path'),
    query: parse(query, readQuery(event), 'query'),
    body: parse(body, sentBody, ''),
  };
  if (issues.length > 0) throw new ValidationError(issues.slice(0, MOST_ISSUES));
  return parsed;
}

function fieldIssues(part: string, schema: z.ZodType, issue: z.core.$ZodIssue): readonly FieldIssue[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issuePath(part, issue.path), message: issue.message }];
  return issue.keys.slice(0, MOST_ISSUES).map((name) => ({
    path: issuePath(part, [...issue.path, shownName(name)]),
    message: unknownField(schema, issue.path),
  }));
}

function issuePath(part: string, path: readonly PropertyKey[]): string {
  const field = path.map(String).join('.');
  if (part === '') return field || 'body';
  return field ? `${part}.${field}` : part;
}

/**
 * API Gateway hands path parameters on as they came. Where something has decoded them before, that is harmless: only message
 * ids have a `%`, before two hex digits, and are read either way.
 */
function decodeParams(values: APIGatewayProxyEvent['pathParameters'], issues: FieldIssue[]): Record<string, string> {
  const decoded: Record<string, string> = {};
  for (const [name, value] of Object.entries(values ?? {})) {
    if (value === undefined) continue;
    if (/%(?:2f|5c)/i.test(value)) issues.push({ path: `path.${name}`, message: 'must not contain an encoded slash' });
    try {
      decoded[name] = decodeURIComponent(value);
    } catch {
      issues.push({ path: `path.${name}`, message: 'is not valid percent-encoding' });
    }
  }
  return decoded;
}

function readQuery(event: APIGatewayProxyEvent): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(event.queryStringParameters ?? {})) {
    if (value !== undefined) query[name] = value;
  }
  for (const [name, values] of Object.entries(event.multiValueQueryStringParameters ?? {})) {
    if (values !== undefined && values.length > 1) query[name] = values;
  }
  return query;
}
