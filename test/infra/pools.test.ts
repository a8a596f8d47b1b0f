import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readHostConfig } from '#engine-host/host/config.ts';
import { capacityEnvSchema, ecsEnvSchema, fleetPools } from '#functions/capacity/env.ts';
import { resourceNames, SESSION_UNITS, shardIds } from '#shared/contracts/resources.ts';
import { sessionWeight } from '#shared/domain/session-weight.ts';
import { hostPools } from '../../infra/config/pools.ts';
import { SettingsError } from '../../infra/config/settings.ts';
import { readSettings } from '../../infra/config/stages.ts';
import { allowedBy } from './support/policies.ts';
import { createResolver } from './support/resolve.ts';
import { resourcesOf, type Synthesis, synthesize, type Template } from './support/synthesis.ts';

const BOTH = { pools: 'socket,browser' };
const names = resourceNames({ RESOURCE_PREFIX: 'trunkline-prod', BUCKET_SUFFIX: '' });
const usual = synthesize('prod');
const both = synthesize('prod', BOTH);
const { text } = createResolver(both, 'prod');

function stackOf({ stacks }: Synthesis, name: string): Template {
  const stack = stacks[name];
  if (stack === undefined) throw new Error(`There is no stack ${name}`);
  return stack;
}

const containerSchema = z.looseObject({
  Image: z.unknown(),
  Environment: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
  LogConfiguration: z.unknown(),
});
const definitionSchema = z.looseObject({
  Family: z.string(),
  Cpu: z.string(),
  Memory: z.string(),
  ContainerDefinitions: z.array(containerSchema).length(1),
});

function taskOf(template: Template, pool: string) {
  const tasks = resourcesOf(template, 'AWS::ECS::TaskDefinition').map(({ Properties }) =>
    definitionSchema.parse(Properties),
  );
  const task = tasks.find(({ Family }) => Family === `trunkline-prod-${pool}`);
  const [container] = task?.ContainerDefinitions ?? [];
  if (task === undefined || container === undefined) throw new Error(`There is no task of ${pool}`);
  const { Image, Environment, LogConfiguration, ...rest } = container;
  const environment = Object.fromEntries(Environment.map(({ Name, Value }) => [Name, text(Value, template)]));
  return { task, rest, environment };
}

const serviceOf = (template: Template, pool: string) =>
  resourcesOf(template, 'AWS::ECS::Service').find(
    ({ Properties }) => Properties.ServiceName === `trunkline-prod-${pool}`,
  )?.Properties;
const queueNames = (nested: Template) =>
  resourcesOf(nested, 'AWS::SQS::Queue').map(({ Properties }) => String(Properties.QueueName));

it('without the setting there is nothing of a browser pool, in any stack', () => {
  const traces = ({ stacks, nested }: Synthesis) =>
    new Set(
      JSON.stringify([...Object.values(stacks), ...nested]).match(/-browser\b|BROWSER_|Browser(?:Role|Task|Shards)/g),
    );
  expect(traces(usual)).toEqual(new Set());
  expect(traces(both).size).toBe(5);
  expect(resourcesOf(usual.stacks.hosts, 'AWS::ECS::Service')).toHaveLength(1);
  expect(fleetPools(capacityEnvSchema.parse({}))).toHaveLength(1);
});

describe('hosts of the browser pool', () => {
  const hosts = stackOf(both, 'hosts');

  it('are as hardened as those of the other, larger, and told what they are', () => {
    const [socket, browser] = ['socket', 'browser'].map((pool) => taskOf(hosts, pool));
    expect(browser?.rest).toEqual(socket?.rest);
    expect(browser?.task).toMatchObject({ Cpu: '2048', Memory: '8192', RuntimePlatform: { CpuArchitecture: 'ARM64' } });
    // The rest of its environment is the image's own.
    const config = readHostConfig({ ...browser?.environment, BROWSER_EXECUTABLE: '/chromium' });
    expect(config).toMatchObject({
      pool: 'browser',
      engines: ['WEBJS'],
      shardCount: 64,
      names: { prefix: 'trunkline-prod' },
    });
  });

  it('are none until somebody asks for them: ECS would start one, which has no engine, and take the stack back', () => {
    expect(serviceOf(hosts, 'browser')).toMatchObject({ DesiredCount: 0 });
    expect(serviceOf(hosts, 'socket')).not.toHaveProperty('DesiredCount');
  });

  it('are built from targets of their own', () => {
    const file = both.files.find((path) => path.includes('hosts')) ?? '';
    const { dockerImages } = z
      .object({ dockerImages: z.record(z.string(), z.object({ source: z.object({ dockerBuildTarget: z.string() }) })) })
      .parse(JSON.parse(readFileSync(file.replace('.template.json', '.assets.json'), 'utf8')));
    expect(
      Object.values(dockerImages)
        .map(({ source }) => source.dockerBuildTarget)
        .sort(),
    ).toEqual(['browser', 'socket']);
    const stages = readFileSync(new URL('../../engine-host/Dockerfile', import.meta.url), 'utf8').matchAll(
      /^FROM .* AS (\w+)$/gm,
    );
    expect([...stages].map(([, stage]) => stage)).toEqual(expect.arrayContaining(['browser', 'socket']));
  });

  it('may do what the others may, with queues of their own pool', () => {
    const allowed = allowedBy(hosts, createResolver(both, 'prod'));
    const [socket = [], browser = []] = [/^SocketRole/, /^BrowserRole/].map((role) =>
      [...allowed].flatMap(([id, all]) => (role.test(id) ? all : [])),
    );
    expect(socket.length).toBeGreaterThan(10);
    const renamed = socket.map(({ resources, ...rest }) => ({
      ...rest,
      resources: resources.map((arn) => arn.replace('-shard-socket-*', '-shard-browser-*')),
    }));
    expect(browser).toEqual(renamed);
    expect(JSON.stringify(browser)).toContain('-shard-browser-*');
  });
});

it('shards of each pool have queues, in nested stacks of their own: more of one move none of the other', () => {
  const kinds = both.nested.map((nested) => new Set(queueNames(nested).map((name) => name.replace(/-\d+\.fifo$/, ''))));
  expect(kinds).toEqual([new Set(['trunkline-prod-shard-socket']), new Set(['trunkline-prod-shard-browser'])]);
  const wanted = shardIds('browser', 64).map(names.shardQueue);
  expect(
    both.nested
      .flatMap(queueNames)
      .filter((name) => name.includes('browser'))
      .sort(),
  ).toEqual([...wanted].sort());
});

it('the capacity function knows both pools, and may count and change the hosts of each', () => {
  const functions = stackOf(both, 'functions');
  const made = resourcesOf(functions, 'AWS::Lambda::Function').find(
    ({ Properties }) => Properties.FunctionName === 'trunkline-prod-capacity',
  );
  const { Variables } = z.object({ Variables: z.record(z.string(), z.unknown()) }).parse(made?.Properties.Environment);
  const environment = Object.fromEntries(
    Object.entries(Variables).map(([key, value]) => [key, text(value, functions)]),
  );
  expect(ecsEnvSchema.parse(environment)).toEqual({
    ECS_CLUSTER: 'trunkline-prod',
    ECS_SOCKET_SERVICE: 'trunkline-prod-socket',
    ECS_BROWSER_SERVICE: 'trunkline-prod-browser',
  });
  const limits = { warmSpares: 1, minHosts: 0, maxHosts: 10 };
  expect(fleetPools(capacityEnvSchema.parse(environment))).toMatchObject([
    { pool: 'socket', limits: { ...limits, unitsPerHost: 500 } },
    { pool: 'browser', shards: { length: 64 }, limits: { ...limits, unitsPerHost: 10 * sessionWeight('WEBJS') } },
  ]);
  const scaling = [...allowedBy(functions, createResolver(both, 'prod')).values()]
    .flat()
    .filter(({ actions }) => actions.includes('ecs:UpdateService'));
  expect(scaling.map(({ resources }) => resources)).toEqual([
    ['browser', 'socket'].map((pool) => `arn:aws:ecs:region:account:service/trunkline-prod/trunkline-prod-${pool}`),
  ]);
});

describe('alarms', () => {
  const alarms = new Map(
    resourcesOf(both.stacks.observability, 'AWS::CloudWatch::Alarm').map(({ Properties }) => [
      String(Properties.AlarmName),
      Properties,
    ]),
  );
  const ofBrowsers = [...alarms].filter(([name]) => name.endsWith('-browser'));

  it('of a pool are there for each, and read its own metrics', () => {
    expect(ofBrowsers.length).toBeGreaterThanOrEqual(10);
    for (const [name, properties] of ofBrowsers) {
      const other = alarms.get(name.replace(/-browser$/, ''));
      const renamed = JSON.stringify(properties)
        .replaceAll('"Value":"browser"', '"Value":"socket"')
        .replaceAll('trunkline-prod-browser', 'trunkline-prod-socket');
      expect(JSON.parse(renamed), name).toEqual({ ...other, AlarmName: name, Threshold: properties.Threshold });
      expect(renamed).not.toBe(JSON.stringify(properties));
    }
  });

  it('of the limit count what a browser weighs', () => {
    expect(SESSION_UNITS).toEqual({ socket: sessionWeight('NOWEB'), browser: sessionWeight('WEBJS') });
    expect(alarms.get('trunkline-prod-hosts-at-limit-browser')).toMatchObject({
      MetricName: 'PoolLoad',
      Threshold: 10 * 10 * sessionWeight('WEBJS'),
    });
  });

  it('go with a row of the dashboard', () => {
    const [dashboard] = resourcesOf(both.stacks.observability, 'AWS::CloudWatch::Dashboard');
    const body = text(dashboard?.Properties.DashboardBody, stackOf(both, 'observability'));
    expect(body.match(/"Pool","browser"/g)?.length).toBeGreaterThan(3);
    expect(body.match(/"ServiceName","trunkline-prod-browser"/g)).toHaveLength(4);
  });
});

describe('images that are built already', () => {
  const IMAGE = '111122223333.dkr.ecr.eu-west-1.amazonaws.com/browser-host:1';

  it('are each pool’s own, and so is the right to pull them', () => {
    const synthesis = synthesize('dev', { ...BOTH, hostImage: 'ghcr.io/a/socket-host:1', browserHostImage: IMAGE });
    const hosts = stackOf(synthesis, 'hosts');
    const pulling = [...allowedBy(hosts, createResolver(synthesis, 'dev'))].flatMap(([role, statements]) =>
      statements
        .filter(({ actions }) => actions.includes('ecr:BatchGetImage'))
        .map(({ resources }) => ({ role, resources })),
    );
    expect(pulling).toEqual([
      {
        role: expect.stringMatching(/^BrowserExecutionRole/),
        resources: ['arn:aws:ecr:eu-west-1:111122223333:repository/browser-host'],
      },
    ]);
    expect(JSON.stringify(resourcesOf(hosts, 'AWS::ECS::TaskDefinition'))).toContain('"ghcr.io/a/socket-host:1"');
  });

  it('are needed for both where none can be built', () => {
    const local = synthesize('dev', { ...BOTH, target: 'local', hostImage: 'trunkline:0.1.0' });
    expect(Object.keys(local.stacks)).not.toContain('hosts');
  });
});

describe('settings', () => {
  it.each([
    ['pools', 'browser'],
    ['pools', 'browser,socket'],
    ['pools', 'socket,socket'],
    ['pools', 'socket,sea'],
    ['browserHostCpu', '3000'],
    ['browserHostMemoryMiB', '2048'],
    ['browserHostImage', 'a b'],
    ['browserShards', '0'],
  ])('%s=%s is refused by name', (name, value) => {
    const read = () => readSettings('prod', { [name]: value });
    expect(read).toThrow(SettingsError);
    expect(read).toThrow(name);
  });

  it('with maxHosts=0 leave the sessions of every pool to another installation', () => {
    const pools = hostPools(readSettings('prod', { ...BOTH, maxHosts: '0' }), names);
    expect(pools.map(({ maxHosts }) => maxHosts)).toEqual([0, 0]);
  });
});
