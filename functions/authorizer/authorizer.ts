import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import type { UsagePlans } from '#shared/contracts/usage-plans.ts';
import { encodeCaller } from './caller.ts';
import type { IdentifyKey } from './identify-key.ts';

export type Authorizer = (
  event: Pick<APIGatewayRequestAuthorizerEvent, 'headers' | 'queryStringParameters' | 'methodArn'>,
) => Promise<APIGatewayAuthorizerResult>;

export interface AuthorizerDeps {
  readonly identify: IdentifyKey;
  readonly noteUse: (row: ApiKeyRow) => Promise<void>;
  /** Undefined where no usage plans count. */
  readonly usagePlans?: UsagePlans | undefined;
}

/**
 * Lets a request through that carries a good key in the header `X-Api-Key` or the query parameter `x-api-key`.
 * The policy covers the whole API, because API Gateway caches it by key; what the key may do is checked by the
 * functions, from the context.
 *
 * @throws Error `Unauthorized`, which API Gateway turns into its 401
 */
export function createAuthorizer({ identify, noteUse, usagePlans }: AuthorizerDeps): Authorizer {
  return async (event) => {
    const key = findKey(event.headers) ?? findKey(event.queryStringParameters);
    const identified = key === undefined ? undefined : await identify(key);
    if (identified === undefined) throw new Error('Unauthorized');
    const { row } = identified;
    await noteUse(row);
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
