import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import { functionName } from '#shared/contracts/api/routes.ts';
import { createResolver } from './support/resolve.ts';
import { resourcesOf, synthesize } from './support/synthesis.ts';

const synthesis = synthesize('prod');
const { text } = createResolver(synthesis, 'prod');
const api = synthesis.stacks.api;
if (api === undefined) throw new Error('no stack for the API');

const methodSchema = z.object({
  security: z.array(z.record(z.string(), z.array(z.never()))),
  parameters: z.array(z.object({ name: z.string(), in: z.literal('path'), required: z.literal(true) })).default([]),
  'x-amazon-apigateway-integration': z.object({
    type: z.enum(['aws_proxy', 'mock']),
    httpMethod: z.string().optional(),
    uri: z.unknown().optional(),
    contentHandling: z.string().optional(),
  }),
});
const bodySchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), methodSchema)),
  components: z.object({ securitySchemes: z.record(z.string(), z.record(z.string(), z.unknown())) }),
  'x-amazon-apigateway-binary-media-types': z.array(z.string()),
  'x-amazon-apigateway-api-key-source': z.string().optional(),
  'x-amazon-apigateway-gateway-responses': z.record(z.string(), z.unknown()),
});

const bodies = new Map(
  resourcesOf(api, 'AWS::ApiGateway::RestApi').map(({ Properties }) => [
    Properties.Name,
    bodySchema.parse(Properties.Body),
  ]),
);
const keyApi = bodies.get('trunkline-prod');
const iamApi = bodies.get('trunkline-prod-iam');
if (keyApi === undefined || iamApi === undefined) throw new Error('an API is missing');

describe.each([
  ['keys', keyApi, [{ caller: [] }, { api_key: [] }]],
  ['signed requests', iamApi, [{ sigv4: [] }]],
] as const)('the API for %s', (_for, body, security) => {
  it('has the operations of the route table, and no others', () => {
    const made = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => method !== 'options')
        .map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(made.sort()).toEqual(OPERATIONS.map(({ method, path }) => `${method} ${path}`).sort());
  });

  it.each(OPERATIONS.map((operation) => [operation.id, operation] as const))('%s', (_id, operation) => {
    const made = body.paths[operation.path]?.[operation.method.toLowerCase()];
    const integration = made?.['x-amazon-apigateway-integration'];
    expect(made?.security).toEqual(operation.scope === 'public' ? [] : security);
    expect(made?.parameters.map(({ name }) => name)).toEqual(
      [...operation.path.matchAll(/\{(\w+)\+?\}/g)].map(([, name]) => name),
    );
    expect(integration).toMatchObject({ type: 'aws_proxy', httpMethod: 'POST' });
    expect(text(integration?.uri, api)).toContain(`:function:trunkline-prod-${functionName(operation.group)}/`);
  });

  it('answers preflights of browsers on every path', () => {
    for (const [path, methods] of Object.entries(body.paths)) {
      expect(methods.options?.['x-amazon-apigateway-integration'], path).toMatchObject({
        type: 'mock',
        contentHandling: 'CONVERT_TO_TEXT',
      });
      expect(methods.options?.security).toEqual([]);
    }
  });

  it('says in each answer of its own which request it was', () => {
    for (const [type, response] of Object.entries(body['x-amazon-apigateway-gateway-responses'])) {
      expect(response, type).toMatchObject({
        responseParameters: {
          'gatewayresponse.header.x-request-id': 'context.requestId',
          'gatewayresponse.header.Access-Control-Expose-Headers': "'content-disposition,retry-after,x-request-id'",
        },
      });
    }
  });

  it('has one name for what varies in one place of a path, as API Gateway demands', () => {
    const names = new Map<string, string>();
    for (const path of Object.keys(body.paths)) {
      path.split('/').forEach((part, index, parts) => {
        if (!part.startsWith('{')) return;
        const parent = parts.slice(0, index).join('/');
        expect(names.get(parent) ?? part, parent).toBe(part);
        names.set(parent, part);
      });
    }
  });

  it('gives pictures as pictures', () => {
    expect(body['x-amazon-apigateway-binary-media-types']).toEqual(['*/*']);
  });
});

it('the authorizer decides for each request, and says which usage plan counts it', () => {
  expect(keyApi['x-amazon-apigateway-api-key-source']).toBe('AUTHORIZER');
  expect(keyApi.components.securitySchemes.caller).toMatchObject({
    'x-amazon-apigateway-authtype': 'custom',
    'x-amazon-apigateway-authorizer': { type: 'request', authorizerResultTtlInSeconds: 0 },
  });
  const [plan] = resourcesOf(api, 'AWS::ApiGateway::UsagePlan');
  expect(plan?.Properties).toMatchObject({ Throttle: { RateLimit: 100, BurstLimit: 200 } });
  const [key] = resourcesOf(api, 'AWS::ApiGateway::ApiKey');
  expect(key?.Properties.Value).toBe('trunkline-prod-callers-counted-under-standard');
});

it('with an answer that is reused, the key must be where the cache looks for it', () => {
  const cached = synthesize('dev', { authorizerCacheSeconds: '4' }).stacks.api;
  const [, body] =
    resourcesOf(cached, 'AWS::ApiGateway::RestApi')
      .map(({ Properties }) => [Properties.Name, bodySchema.parse(Properties.Body)] as const)
      .filter(([name]) => name === 'trunkline-dev')[0] ?? [];
  expect(body?.components.securitySchemes.caller?.['x-amazon-apigateway-authorizer']).toMatchObject({
    authorizerResultTtlInSeconds: 4,
    identitySource: 'method.request.header.X-Api-Key',
  });
});

describe('stages', () => {
  const stages = resourcesOf(api, 'AWS::ApiGateway::Stage');

  it('are throttled and logged, without what a path or a query may hold', () => {
    expect(stages).toHaveLength(2);
    for (const { Properties } of stages) {
      expect(Properties.MethodSettings).toMatchObject([{ ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000 }]);
      const format = JSON.stringify((Properties.AccessLogSetting as { Format: string }).Format);
      expect(format).toContain('$context.resourcePath');
      for (const id of ['$context.requestId', '$context.integration.requestId']) expect(format).toContain(id);
      for (const telling of ['$context.path', '$context.protocol', 'querystring', 'requestOverride', 'input.'])
        expect(format).not.toContain(telling);
    }
  });

  it('log statuses and sizes as numbers, so that filters can compare them', () => {
    for (const { Properties } of stages) {
      const { Format } = z.object({ Format: z.string() }).parse(Properties.AccessLogSetting);
      const line: unknown = JSON.parse(Format.replace(/\$context\.[\w.]+/g, '502'));
      expect(line).toMatchObject({ status: 502, milliseconds: 502, bytes: 502, functionStatus: '502', ip: '502' });
    }
  });

  it('tell the functions that a request is signed only where API Gateway has checked that', () => {
    const variables = stages.map(({ Properties }) => [text(Properties.RestApiId, api), Properties.Variables]);
    const signed = resourcesOf(api, 'AWS::ApiGateway::RestApi').find(
      ({ Properties }) => Properties.Name === 'trunkline-prod-iam',
    );
    for (const [id, found] of variables) {
      if (id === signed?.id) expect(found).toEqual({ authorization: 'iam' });
      else expect(found).toBeUndefined();
    }
  });

  it('have a firewall in front, each', () => {
    expect(resourcesOf(api, 'AWS::WAFv2::WebACLAssociation')).toHaveLength(2);
  });
});

describe('the firewall', () => {
  const limitOf = (context: Readonly<Record<string, string>>) => {
    const [acl] = resourcesOf(synthesize('prod', context).stacks.api, 'AWS::WAFv2::WebACL');
    return /"RateBasedStatement":(\{[^}]*\})/.exec(JSON.stringify(acl))?.[1];
  };
  const limit = (requests: number) => `{"AggregateKeyType":"IP","Limit":${requests}}`;

  it('lets through of one address what all plans let through of it', () => {
    expect(limitOf({})).toBe(limit(100 * 300 + 200));
    const two = '{"standard":{"rate":100,"burst":200},"bulk":{"rate":400,"burst":1000}}';
    expect(limitOf({ usagePlans: two })).toBe(limit(151_200));
  });

  it('has a limit that is not so low that a few people behind one address reach it, unless it is told', () => {
    expect(limitOf({ usagePlans: '{"small":{"rate":1,"burst":2}}' })).toBe(limit(3_000));
    expect(limitOf({ wafRequestsPerAddress: '500' })).toBe(limit(500));
  });

  it('has the limit that the documents name', () => {
    for (const page of ['README.md', 'docs/runbook.md', 'infra/README.md'])
      expect(readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8'), page).toContain('30,200');
  });
});

it('functions can be called by their own APIs only', () => {
  for (const { Properties } of resourcesOf(api, 'AWS::Lambda::Permission')) {
    expect(text(Properties.SourceArn, api)).toMatch(/^arn:aws:execute-api:region:account:\w+\/(?:v1|authorizers)\/\*$/);
  }
});

it('an own host name is served with TLS 1.2', () => {
  const certificateArn = 'arn:aws:acm:eu-central-1:123456789012:certificate/a';
  const named = synthesize('dev', { domainName: 'wa.example.com', certificateArn });
  const { api: own, functions, hosts } = named.stacks;
  expect(resourcesOf(own, 'AWS::ApiGateway::DomainName')[0]?.Properties).toMatchObject({
    DomainName: 'wa.example.com',
    SecurityPolicy: 'TLS_1_2',
    EndpointConfiguration: { Types: ['REGIONAL'] },
  });
  expect(resourcesOf(own, 'AWS::ApiGateway::BasePathMapping')).toHaveLength(1);
  expect(JSON.stringify(functions)).toContain('"PUBLIC_URL":"https://wa.example.com"');
  expect(JSON.stringify(hosts)).toContain('{"Name":"PUBLIC_URL","Value":"https://wa.example.com"}');
  expect(named.before.hosts).toContain('api');
});
