import { Aws } from 'aws-cdk-lib';
import { GATEWAY_RESPONSES, type GatewayResponse } from '#shared/contracts/api/gateway-responses.ts';
import {
  API_HEADERS,
  type ApiRoute,
  apiRoutes,
  BINARY_MEDIA_TYPES,
  EXPOSED_HEADERS,
  REQUEST_ID_HEADER,
} from '#shared/contracts/api/routes.ts';

type Json = Record<string, unknown>;

export interface ApiDefinitionProps {
  readonly title: string;
  /** ARN of the function that serves a route. */
  readonly functionArn: (route: ApiRoute) => string;
  readonly authorization:
    | {
        readonly kind: 'key';
        readonly authorizerArn: string;
        /** Seconds for which an answer is reused; 0: never. */
        readonly cacheSeconds: number;
      }
    | { readonly kind: 'iam' };
}

const KEY_SCHEME = 'caller';
/** What usage plans count by; which one it is says the authorizer. */
const PLAN_SCHEME = 'api_key';
const IAM_SCHEME = 'sigv4';
/** How long a browser may keep the answer to a preflight. */
export const PREFLIGHT_SECONDS = 600;

/** The route table as API Gateway reads it: every operation, and for every path the answer to a browser's preflight. */
export function apiDefinition(props: ApiDefinitionProps): Json {
  const paths: Record<string, Json> = {};
  for (const route of apiRoutes()) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, props) };
  }
  for (const path of Object.keys(paths)) paths[path] = { ...paths[path], options: preflight(path, paths[path] ?? {}) };
  return {
    openapi: '3.0.1',
    info: { title: props.title, version: '1' },
    paths,
    components: { securitySchemes: securitySchemes(props) },
    ...(props.authorization.kind === 'key' && { 'x-amazon-apigateway-api-key-source': 'AUTHORIZER' }),
    'x-amazon-apigateway-binary-media-types': BINARY_MEDIA_TYPES,
    'x-amazon-apigateway-gateway-responses': gatewayResponses(props.authorization.kind),
  };
}

const invocation = (functionArn: string): string =>
  `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}:lambda:path/2015-03-31/functions/${functionArn}/invocations`;

function operation(route: ApiRoute, { functionArn, authorization }: ApiDefinitionProps): Json {
  return {
    parameters: pathParameters(route.path),
    responses: {},
    security: route.auth ? securityOf(authorization.kind) : [],
    'x-amazon-apigateway-integration': {
      type: 'aws_proxy',
      httpMethod: 'POST',
      uri: invocation(functionArn(route)),
      passthroughBehavior: 'when_no_match',
    },
  };
}

/** API Gateway takes the list as "all of these", unlike the OpenAPI specification. */
const securityOf = (kind: 'key' | 'iam'): readonly Json[] =>
  kind === 'key' ? [{ [KEY_SCHEME]: [] }, { [PLAN_SCHEME]: [] }] : [{ [IAM_SCHEME]: [] }];

function pathParameters(path: string): readonly Json[] {
  return [...path.matchAll(/\{(\w+)\+?\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function preflight(path: string, methods: Json): Json {
  const headers: Readonly<Record<string, string>> = {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': [...Object.keys(methods), 'options'].map((name) => name.toUpperCase()).join(),
    'Access-Control-Allow-Headers': API_HEADERS.join(),
    'Access-Control-Max-Age': String(PREFLIGHT_SECONDS),
  };
  const names = Object.entries(headers);
  return {
    parameters: pathParameters(path),
    security: [],
    responses: {
      204: {
        description: 'What a browser may send',
        headers: Object.fromEntries(names.map(([name]) => [name, { schema: { type: 'string' } }])),
      },
    },
    'x-amazon-apigateway-integration': {
      type: 'mock',
      // As everything is binary here, the template below would not be read otherwise.
      contentHandling: 'CONVERT_TO_TEXT',
      requestTemplates: { 'application/json': '{"statusCode": 204}' },
      responses: {
        default: {
          statusCode: '204',
          responseParameters: Object.fromEntries(
            names.map(([name, value]) => [`method.response.header.${name}`, `'${value}'`]),
          ),
        },
      },
    },
  };
}

function securitySchemes({ authorization }: ApiDefinitionProps): Json {
  if (authorization.kind === 'iam') {
    return {
      [IAM_SCHEME]: {
        type: 'apiKey',
        name: 'Authorization',
        in: 'header',
        'x-amazon-apigateway-authtype': 'awsSigv4',
      },
    };
  }
  const { authorizerArn, cacheSeconds } = authorization;
  return {
    [PLAN_SCHEME]: { type: 'apiKey', name: 'x-api-key', in: 'header' },
    [KEY_SCHEME]: {
      type: 'apiKey',
      name: 'X-Api-Key',
      in: 'header',
      'x-amazon-apigateway-authtype': 'custom',
      'x-amazon-apigateway-authorizer': {
        type: 'request',
        authorizerUri: invocation(authorizerArn),
        authorizerResultTtlInSeconds: cacheSeconds,
        // A key may also come in the query. An identity source would demand that it comes in one certain place.
        ...(cacheSeconds > 0 && { identitySource: 'method.request.header.X-Api-Key' }),
      },
    },
  };
}

function gatewayResponses(kind: 'key' | 'iam'): Json {
  const named: Readonly<Record<string, GatewayResponse>> = {
    UNAUTHORIZED: GATEWAY_RESPONSES.unauthorized,
    ACCESS_DENIED: GATEWAY_RESPONSES.forbidden,
    INVALID_API_KEY: GATEWAY_RESPONSES.forbidden,
    AUTHORIZER_FAILURE: GATEWAY_RESPONSES.authorizerFailed,
    AUTHORIZER_CONFIGURATION_ERROR: GATEWAY_RESPONSES.authorizerFailed,
    THROTTLED: GATEWAY_RESPONSES.throttled,
    QUOTA_EXCEEDED: GATEWAY_RESPONSES.quotaExceeded,
    REQUEST_TOO_LARGE: GATEWAY_RESPONSES.tooLong,
    INTEGRATION_FAILURE: GATEWAY_RESPONSES.badIntegration,
    INTEGRATION_TIMEOUT: GATEWAY_RESPONSES.timeout,
    // API Gateway says so of unknown paths, and of requests that should be signed and are not.
    MISSING_AUTHENTICATION_TOKEN: kind === 'key' ? GATEWAY_RESPONSES.notFound : GATEWAY_RESPONSES.unauthorized,
  };
  const headers = {
    'gatewayresponse.header.Access-Control-Allow-Origin': "'*'",
    'gatewayresponse.header.Access-Control-Expose-Headers': `'${EXPOSED_HEADERS.join()}'`,
    [`gatewayresponse.header.${REQUEST_ID_HEADER}`]: 'context.requestId',
  };
  return {
    DEFAULT_4XX: { responseParameters: headers },
    DEFAULT_5XX: { responseParameters: headers },
    ...Object.fromEntries(
      Object.entries(named).map(([type, { status, body }]) => [
        type,
        {
          statusCode: status,
          responseParameters: headers,
          responseTemplates: { 'application/json': JSON.stringify(body) },
        },
      ]),
    ),
  };
}
