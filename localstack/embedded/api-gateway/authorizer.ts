import type { APIGatewayEventDefaultAuthorizerContext } from 'aws-lambda';
import * as z from 'zod';
import type { FunctionRegistry } from '../function-registry.ts';
import { authorizerEvent, methodArn, type RequestParts } from './proxy-event.ts';

export interface AuthorizerOptions {
  readonly functionName: string;
  /** How long an answer is reused for the same credentials. @default 0 (asked every time) */
  readonly ttlSeconds?: number;
}

/** Who calls, as the integration sees it; or that nobody may. */
export type Authorization =
  | { readonly allowed: true; readonly principalId: string; readonly context: APIGatewayEventDefaultAuthorizerContext }
  | { readonly allowed: false };

export type Authorize = (parts: RequestParts) => Promise<Authorization>;

const oneOrMore = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
const answerSchema = z.object({
  principalId: z.string(),
  policyDocument: z.object({
    Statement: z.array(
      z.object({ Effect: z.enum(['Allow', 'Deny']), Action: oneOrMore.optional(), Resource: oneOrMore.optional() }),
    ),
  }),
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).nullish()).nullish(),
});
type Answer = z.infer<typeof answerSchema>;

/**
 * Asks a REQUEST authorizer. The policy is evaluated for every request, also when the answer comes from the cache: a
 * policy for one method does not open another. Rejects if the function fails in any way but `Unauthorized`.
 */
export function createAuthorize(functions: FunctionRegistry, options: AuthorizerOptions): Authorize {
  const ttlMs = (options.ttlSeconds ?? 0) * 1000;
  const cache = new Map<string, { readonly answer: Promise<Answer | undefined>; readonly until: number }>();

  const ask = async (parts: RequestParts): Promise<Answer | undefined> => {
    try {
      return answerSchema.parse(await functions.invoke(options.functionName, authorizerEvent(parts)));
    } catch (error) {
      if (error instanceof Error && error.message === 'Unauthorized') return undefined;
      throw error;
    }
  };

  const cached = (parts: RequestParts): Promise<Answer | undefined> => {
    if (ttlMs === 0) return ask(parts);
    const now = performance.now();
    const source = identitySource(parts);
    const known = cache.get(source);
    if (known !== undefined && known.until > now) return known.answer;
    for (const [key, entry] of cache) if (entry.until <= now) cache.delete(key);
    const answer = ask(parts);
    cache.set(source, { answer, until: now + ttlMs });
    answer.catch(() => cache.delete(source));
    return answer;
  };

  return async (parts) => {
    const answer = await cached(parts);
    if (answer === undefined || !allows(answer, methodArn(parts))) return { allowed: false };
    const context = Object.entries(answer.context ?? {}).flatMap(([name, value]) =>
      value === null || value === undefined ? [] : [[name, String(value)] as const],
    );
    return {
      allowed: true,
      principalId: answer.principalId,
      // API Gateway hands every context value on as text.
      context: { ...Object.fromEntries(context), principalId: answer.principalId, integrationLatency: 0 },
    };
  };
}

/** Everything a key or a signature can come in. */
function identitySource({ headers, queryStringParameters }: RequestParts): string {
  const wanted = new Set(['x-api-key', 'authorization']);
  const pick = (values: Readonly<Record<string, string | undefined>> | null) =>
    Object.entries(values ?? {}).filter(([name]) => wanted.has(name.toLowerCase()));
  return JSON.stringify([pick(headers), pick(queryStringParameters)]);
}

function allows({ policyDocument }: Answer, arn: string): boolean {
  const applying = policyDocument.Statement.filter(
    ({ Action = [], Resource = [] }) =>
      Action.some((action) => ['*', 'execute-api:*', 'execute-api:invoke'].includes(action.toLowerCase())) &&
      Resource.some((resource) => wildcardMatches(resource, arn)),
  );
  return applying.length > 0 && applying.every(({ Effect }) => Effect === 'Allow');
}

function wildcardMatches(pattern: string, value: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`).test(value);
}
