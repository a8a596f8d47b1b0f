import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import type { UsagePlans } from '#shared/contracts/usage-plans.ts';
import { hashApiKey } from '#shared/domain/api-key.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';
import { encodeCaller } from './caller.ts';

const LONGEST_KEY = 512;

export type Authorizer = (
  event: Pick<APIGatewayRequestAuthorizerEvent, 'headers' | 'queryStringParameters' | 'methodArn'>,
) => Promise<APIGatewayAuthorizerResult>;

export interface AuthorizerDeps {
  readonly keys: Pick<ApiKeyStore, 'get'>;
  /** Undefined where no usage plans count. */
  readonly usagePlans?: UsagePlans | undefined;
}

/**
 * Lets a request through that carries an active key in the header `X-Api-Key` or the query parameter `x-api-key`.
 * The policy covers the whole API, because API Gateway caches it by key; what the key may do is checked by the
 * functions, from the context.
 *
 * @throws Error `Unauthorized`, which API Gateway turns into its 401
 */
export function createAuthorizer({ keys, usagePlans }: AuthorizerDeps): Authorizer {
  return async (event) => {
    const key = findKey(event.headers) ?? findKey(event.queryStringParameters);
    if (key === undefined || key.length > LONGEST_KEY) throw new Error('Unauthorized');
    const row = await keys.get(hashApiKey(key));
    if (!row?.isActive) throw new Error('Unauthorized');
    return {
      principalId: row.id,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: wholeApi(event.methodArn) }],
      },
      context: encodeCaller(row),
      ...(usagePlans !== undefined && { usageIdentifierKey: usagePlans(row.plan) }),
    };
  };
}

/** The key among headers or query parameters, whatever its letters. */
export function findKey(values: Readonly<Record<string, string | undefined>> | null | undefined): string | undefined {
  for (const [name, value] of Object.entries(values ?? {})) {
    if (name.toLowerCase() === 'x-api-key' && value) return value;
  }
  return undefined;
}

/** `arn:aws:execute-api:region:account:api/stage/GET/path…` → every method and path of that stage. */
function wholeApi(methodArn: string): string {
  const [api, stage] = methodArn.split('/');
  return `${api}/${stage ?? '*'}/*`;
}
