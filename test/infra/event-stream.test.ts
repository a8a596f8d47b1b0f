import { describe, expect, it } from 'vitest';
import { allowedBy } from './support/policies.ts';
import { createResolver } from './support/resolve.ts';
import { resourcesOf, synthesize, type Template } from './support/synthesis.ts';

const synthesis = synthesize('prod');
const resolver = createResolver(synthesis, 'prod');
const { stream, functions } = synthesis.stacks;
if (stream === undefined || functions === undefined) throw new Error('stacks are missing');
const [api] = resourcesOf(stream, 'AWS::ApiGatewayV2::Api');
const FUNCTION = 'arn:aws:lambda:region:account:function:trunkline-prod-stream-connections';

describe('the API of event streams', () => {
  it('is at an address that ends as everywhere, and lets nobody open more than the API takes requests', () => {
    expect(api?.Properties).toMatchObject({ ProtocolType: 'WEBSOCKET', Name: 'trunkline-prod-stream' });
    const [stage] = resourcesOf(stream, 'AWS::ApiGatewayV2::Stage');
    expect(stage?.Properties).toMatchObject({
      StageName: 'ws',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1_000 },
    });
    expect(JSON.stringify(stream.Outputs.StreamUrl?.Value)).toMatch(/wss:\/\/.*\/ws"/);
  });

  it('logs nothing in which a key may be', () => {
    const [stage] = resourcesOf(stream, 'AWS::ApiGatewayV2::Stage');
    expect(JSON.stringify(stage?.Properties.AccessLogSettings)).not.toMatch(/query|path|header/i);
  });

  it('asks one function about everything, which it alone may call', () => {
    const routes = resourcesOf(stream, 'AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties.RouteKey);
    expect(routes.sort()).toEqual(['$connect', '$default', '$disconnect']);
    const [integration] = resourcesOf(stream, 'AWS::ApiGatewayV2::Integration');
    expect(resolver.text(integration?.Properties.IntegrationUri, stream)).toBe(
      `arn:aws:apigateway:region:lambda:path/2015-03-31/functions/${FUNCTION}/invocations`,
    );
    const permissions = resourcesOf(stream, 'AWS::Lambda::Permission');
    expect(permissions).toHaveLength(1);
    expect(resolver.text(permissions[0]?.Properties.SourceArn, stream)).toBe(
      `arn:aws:execute-api:region:account:${api?.id}/ws/*`,
    );
  });

  it('is not there, and costs nothing, where it is not wanted', () => {
    const without = synthesize('dev', { eventStream: 'false' }).stacks;
    expect(without.stream).toBeUndefined();
    const states = (template: Template | undefined) =>
      resourcesOf(template, 'AWS::Events::Rule').map(({ Properties }) => [Properties.Name, Properties.State]);
    expect(states(without.messaging)).toContainEqual(['trunkline-dev-streams', 'DISABLED']);
    expect(states(synthesis.stacks.messaging)).toContainEqual(['trunkline-prod-streams', 'ENABLED']);
  });

  it('is written to by one function', () => {
    const roles = JSON.stringify(resourcesOf(stream, 'AWS::IAM::Policy').map(({ Properties }) => Properties.Roles));
    expect(roles).toMatch(/^\[\[\{[^[\]]*streamsenderrole[^[\]]*\}\]\]$/);
    const [policy] = resourcesOf(stream, 'AWS::IAM::Policy');
    expect(JSON.stringify(policy?.Properties.PolicyDocument)).toContain('"Action":"execute-api:ManageConnections"');
    for (const statements of allowedBy(functions, resolver).values())
      expect(statements.flatMap(({ actions }) => actions).join()).not.toContain('execute-api');
  });
});
