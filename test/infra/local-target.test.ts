import { expect, it } from 'vitest';
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

it('asks callers for a key, and no usage plan for one of its own', () => {
  const bodies = resourcesOf(local.stacks.api, 'AWS::ApiGateway::RestApi').map(({ Properties }) =>
    JSON.stringify(Properties.Body),
  );
  expect(bodies.join()).toContain('"security":[{"caller":[]}]');
  expect(bodies.join()).not.toContain('"api_key":[]');
});
