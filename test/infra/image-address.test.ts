import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type ImageAddress, parseImageAddress } from '../../infra/config/image-address.ts';
import { SettingsError } from '../../infra/config/settings.ts';
import { readSettings } from '../../infra/config/stages.ts';
import { allowedBy, type Statement } from './support/policies.ts';
import { createResolver } from './support/resolve.ts';
import { resourcesOf, synthesize, type Template } from './support/synthesis.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const IN_ECR = '111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/socket-host';
const PULL = ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'];

describe('an address', () => {
  it.each([
    'nginx',
    'trunkline/socket-host:0.1.0',
    'ghcr.io/somebody/socket-host:v1',
    'public.ecr.aws/a1b2c3/socket-host',
    `registry.example.com:5000/a/b__c@${DIGEST}`,
  ])('%s is of a public registry', (address) => {
    expect(parseImageAddress(address)).toEqual({ registry: 'public', address });
  });

  it.each([
    [IN_ECR, undefined],
    [`${IN_ECR}:0.1.0`, '0.1.0'],
    [`${IN_ECR}@${DIGEST}`, DIGEST],
  ])('%s is in ECR', (address, version) => {
    expect(parseImageAddress(address)).toEqual({
      registry: 'ecr',
      account: '111122223333',
      region: 'eu-west-1',
      repository: 'team/socket-host',
      version,
    });
  });

  it.each([
    '111122223333.dkr.ecr.us-gov-west-1.amazonaws.com/a:1',
    '111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/a:1',
  ])('%s is in ECR too', (address) => {
    expect(parseImageAddress(address)?.registry).toBe('ecr' satisfies ImageAddress['registry']);
  });

  it.each([
    '',
    'a b',
    'https://ghcr.io/a/b:1',
    'ghcr.io/A/b',
    'ghcr.io/a/b:',
    'ghcr.io/a/b@sha256:12',
    `${IN_ECR}:1@${DIGEST}`,
    `${IN_ECR}/`,
    '11112222333.dkr.ecr.eu-west-1.amazonaws.com/a:1',
    '111122223333.dkr.ecr.eu-west-1.example.com/a:1',
  ])('%j is none, and refused by name', (address) => {
    expect(parseImageAddress(address)).toBeUndefined();
    const read = () => readSettings('dev', (name) => (name === 'hostImage' ? address : undefined));
    expect(read).toThrow(SettingsError);
    expect(read).toThrow('hostImage: must be [registry/]repository');
  });
});

/** What a stage with this image runs, and what its hosts' execution role may do at registries. */
function deployed(hostImage: string, more: Readonly<Record<string, string>> = {}) {
  const synthesis = synthesize('dev', { hostImage, ...more });
  const resolver = createResolver(synthesis, 'dev');
  const { hosts } = synthesis.stacks;
  if (hosts === undefined) throw new Error('no stack for hosts');
  const [task] = resourcesOf(hosts, 'AWS::ECS::TaskDefinition');
  const [container] = z.array(z.object({ Image: z.unknown() })).parse(task?.Properties.ContainerDefinitions);
  const ofRegistries = ({ actions }: Statement) => actions.some((action) => action.startsWith('ecr:'));
  const roles = [...allowedBy(hosts, resolver)].filter(([, statements]) => statements.some(ofRegistries));
  return {
    hosts,
    image: resolver.text(container?.Image, hosts),
    roles: roles.map(([role]) => role),
    rights: roles.flatMap(([, statements]) =>
      statements.filter(ofRegistries).map(({ actions, resources }) => ({ actions: [...actions].sort(), resources })),
    ),
  };
}

// cdk-nag is part of each synth.
describe('hosts', () => {
  const tagged = deployed(`${IN_ECR}:0.1.0`, { network: 'private', interfaceEndpoints: 'true' });
  const pinned = deployed(`${IN_ECR}@${DIGEST}`);
  const ofEverybody = deployed('ghcr.io/somebody/socket-host:v1');

  it.each([
    [`${IN_ECR}:0.1.0`, tagged],
    [`${IN_ECR}@${DIGEST}`, pinned],
  ])('may pull %s, and nothing else, whoever’s repository it is', (address, { image, roles, rights }) => {
    expect(image).toBe(address);
    expect(roles).toEqual([expect.stringContaining('ExecutionRole')]);
    expect(rights).toEqual([
      { actions: PULL, resources: ['arn:aws:ecr:eu-west-1:111122223333:repository/team/socket-host'] },
      { actions: ['ecr:GetAuthorizationToken'], resources: ['*'] },
    ]);
  });

  it('need no rights for an image that everybody may pull', () => {
    expect(ofEverybody.image).toBe('ghcr.io/somebody/socket-host:v1');
    expect(ofEverybody.rights).toEqual([]);
  });

  it('reach ECR, and S3 where its layers are, without NAT', () => {
    expect(endpointsOf(tagged.hosts, 'Interface')).toEqual(expect.arrayContaining(['ecr.api', 'ecr.dkr', 'logs']));
    expect(endpointsOf(tagged.hosts, 'Gateway')).toContain('s3');
  });
});

/** Services by the ends of their names, which begin with the region. */
function endpointsOf(hosts: Template, kind: string): readonly string[] {
  return resourcesOf(hosts, 'AWS::EC2::VPCEndpoint')
    .filter(({ Properties }) => Properties.VpcEndpointType === kind)
    .map(({ Properties }) => /\.((?:ecr\.)?[a-z0-9]+)["\]}]*$/.exec(JSON.stringify(Properties.ServiceName))?.[1] ?? '');
}
