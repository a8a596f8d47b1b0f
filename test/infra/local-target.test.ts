import { expect, it } from 'vitest';
import * as z from 'zod';
import { resourcesOf, synthesize } from './support/synthesis.ts';

const local = synthesize('dev', { target: 'local' });
const withHosts = synthesize('dev', { target: 'local', hostImage: 'trunkline:0.1.0' });
const types = new Set(
  [...Object.values(local.stacks), ...local.nested].flatMap(({ Resources }) =>
    Object.values(Resources).map(({ Type }) => Type),
  ),
);

it('leaves out what an emulator cannot make, and hosts whose image would have to be built', () => {
  expect(Object.keys(local.stacks)).not.toContain('hosts');
  const lacking = ['AWS::Events::Archive', 'AWS::EC2::FlowLog', 'Custom::Trigger', 'Custom::S3AutoDeleteObjects'];
  expect(lacking.filter((type) => types.has(type))).toEqual([]);
  for (const { Properties } of resourcesOf(local.stacks.observability, 'AWS::CloudWatch::Alarm')) {
    expect(Properties).not.toHaveProperty('Metrics');
  }
});

it('leaves the number of hosts alone', () => {
  const functions = resourcesOf(local.stacks.functions, 'AWS::Lambda::Function').map(({ Properties }) => Properties);
  expect(functions.map(({ FunctionName }) => FunctionName)).toContain('trunkline-dev-capacity');
  expect(JSON.stringify(functions)).toContain('"ECS_SOCKET_SERVICE"');
  expect(JSON.stringify(functions)).not.toContain('"ECS_CLUSTER"');
});

it('makes hosts where it is told of an image, with all that an emulator can make, and lets their number be decided', () => {
  const { hosts, functions } = withHosts.stacks;
  expect(resourcesOf(hosts, 'AWS::ECS::Service')).toHaveLength(1);
  expect(resourcesOf(hosts, 'AWS::EC2::FlowLog')).toEqual([]);
  expect(JSON.stringify(resourcesOf(functions, 'AWS::Lambda::Function'))).toContain('"ECS_CLUSTER":"trunkline-dev"');
});

it('lets streams be written to where an emulator has their API', () => {
  const at = (context: Readonly<Record<string, string>>) => {
    const { stream, functions } = synthesize('dev', { target: 'local', ...context }).stacks;
    const [api] = resourcesOf(stream, 'AWS::ApiGatewayV2::Api');
    const told = resourcesOf(functions, 'AWS::Lambda::Function').flatMap(({ Properties }) => {
      const written = JSON.stringify(Properties.Environment);
      const [, address] = /"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI":"([^"]+)"/.exec(written) ?? [];
      return address === undefined ? [] : [[Properties.FunctionName, address]];
    });
    return { id: z.object({ 'ms-custom-id': z.string() }).parse(api?.Properties.Tags)['ms-custom-id'], told };
  };
  const { id, told } = at({});
  expect(told).toEqual([['trunkline-dev-stream-sender', `http://127.0.0.1:4566/_aws/execute-api/${id}/ws`]]);
  expect(at({ endpoint: 'http://emulator:4000' }).told).toEqual([
    ['trunkline-dev-stream-sender', `http://emulator:4000/_aws/execute-api/${id}/ws`],
  ]);
  const inAws = synthesize('dev').stacks;
  expect(JSON.stringify([inAws.functions, inAws.stream])).not.toMatch(/APIGATEWAYMANAGEMENTAPI|custom-id/);
});

it('asks callers for a key, and no usage plan for one of its own', () => {
  const bodies = resourcesOf(local.stacks.api, 'AWS::ApiGateway::RestApi').map(({ Properties }) =>
    JSON.stringify(Properties.Body),
  );
  expect(bodies.join()).toContain('"security":[{"caller":[]}]');
  expect(bodies.join()).not.toContain('"api_key":[]');
});
