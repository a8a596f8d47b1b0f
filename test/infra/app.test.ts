import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readHostConfig } from '#engine-host/host/config.ts';
import { apiEnvSchema } from '#functions/api/env.ts';
import { authorizerEnvSchema } from '#functions/authorizer/env.ts';
import { capacityEnvSchema, ecsEnvSchema, fleetPools } from '#functions/capacity/env.ts';
import { eventProjectorEnvSchema } from '#functions/event-projector/env.ts';
import { eventStreamEnvSchema } from '#functions/event-stream/env.ts';
import { reconcilerEnvSchema } from '#functions/reconciler/env.ts';
import { METRICS } from '#shared/observability/metrics.ts';
import { SettingsError, settingsSchema } from '../../infra/config/settings.ts';
import { readSettings, STAGES } from '../../infra/config/stages.ts';
import { createResolver } from './support/resolve.ts';
import { type Resource, resourcesOf, synthesize } from './support/synthesis.ts';

const metricSchema = z.object({
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })).default([]),
});

// cdk-nag is part of synth: a finding that nobody has explained ends it with an error.
const prod = synthesize('prod');
const dev = synthesize('dev', {
  pools: 'socket,browser',
  network: 'private',
  interfaceEndpoints: 'true',
  iamApi: 'false',
});
const { text } = createResolver(prod, 'prod');
const { hosts, functions, observability } = prod.stacks;
if (hosts === undefined || functions === undefined || observability === undefined)
  throw new Error('stacks are missing');

describe('templates', () => {
  it('fit into CloudFormation', () => {
    for (const stack of [...Object.values(prod.stacks), ...prod.nested]) {
      expect(Object.keys(stack.Resources).length).toBeLessThanOrEqual(500);
      expect(JSON.stringify(stack).length).toBeLessThan(1_000_000);
    }
  });

  it('name neither account nor region', () => {
    const all = JSON.stringify(prod.stacks);
    expect(all).not.toMatch(/arn:aws:[a-z0-9-]+:[a-z]{2}-[a-z]+-\d:/);
    expect(all).not.toMatch(/\b\d{12}\b/);
  });

  const hasLint = spawnSync('cfn-lint', ['--version']).status === 0;
  it.skipIf(!hasLint)(
    'please cfn-lint (skipped where it is not installed: pip install cfn-lint)',
    () => {
      // W3005: the CDK says twice that a function comes after its role.
      const files = [...prod.files, ...dev.files];
      const lint = spawnSync('cfn-lint', ['--ignore-checks', 'W3005', '--', ...files], { encoding: 'utf8' });
      // A linter that could not run has nothing to say either.
      expect(lint).toMatchObject({ status: 0, stdout: '' });
    },
    300_000,
  );
});

describe('hosts', () => {
  const [task] = resourcesOf(hosts, 'AWS::ECS::TaskDefinition');
  const container = z
    .array(z.record(z.string(), z.unknown()))
    .length(1)
    .parse(task?.Properties.ContainerDefinitions)[0];

  it('run on ARM64 with time to drain, an init process, many files, and nothing to write to but /tmp', () => {
    expect(task?.Properties).toMatchObject({
      RequiresCompatibilities: ['FARGATE'],
      RuntimePlatform: { CpuArchitecture: 'ARM64' },
      Cpu: '1024',
      Memory: '2048',
    });
    expect(container).toMatchObject({
      StopTimeout: 120,
      ReadonlyRootFilesystem: true,
      User: '1000:1000',
      LinuxParameters: { InitProcessEnabled: true },
      Ulimits: [{ Name: 'nofile', SoftLimit: 65_536, HardLimit: 65_536 }],
      MountPoints: [{ ContainerPath: '/tmp', ReadOnly: false }],
      LogConfiguration: { Options: { mode: 'non-blocking' } },
      HealthCheck: { Retries: 3, StartPeriod: 60 },
    });
  });

  it('are as many as somebody else says, go one after the other, and back when they do not stay up', () => {
    const [service] = resourcesOf(hosts, 'AWS::ECS::Service');
    expect(service?.Properties).not.toHaveProperty('DesiredCount');
    expect(service?.Properties).toMatchObject({
      AvailabilityZoneRebalancing: 'DISABLED',
      DeploymentConfiguration: {
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
      },
    });
  });

  it('can be reached by nobody', () => {
    for (const { Properties } of resourcesOf(hosts, 'AWS::EC2::SecurityGroup')) {
      expect(Properties).not.toHaveProperty('SecurityGroupIngress');
      expect(Properties.SecurityGroupEgress).toMatchObject([
        { FromPort: 443, ToPort: 443, IpProtocol: 'tcp' },
        { FromPort: 80, ToPort: 80, IpProtocol: 'tcp' },
      ]);
    }
    expect(resourcesOf(hosts, 'AWS::EC2::SecurityGroupIngress')).toEqual([]);
  });

  it('find what they need in their environment', () => {
    const environment = z.array(z.object({ Name: z.string(), Value: z.unknown() })).parse(container?.Environment);
    const values = Object.fromEntries(environment.map(({ Name, Value }) => [Name, text(Value, hosts)]));
    expect(values.STATE_KMS_KEY_ID).toMatch(/^arn:aws:kms:region:account:key\/StateKey/);
    const config = readHostConfig(values);
    expect(config).toMatchObject({
      pool: 'socket',
      shardCount: 64,
      engines: ['NOWEB'],
      names: { prefix: 'trunkline-prod' },
    });
    const { api } = prod.stacks;
    if (api === undefined) throw new Error('no stack for the API');
    expect(values.PUBLIC_URL).toBe(text(api.Outputs.ApiUrl?.Value, api));
    expect(values.PUBLIC_URL).toMatch(/^https:\/\/\w+\.execute-api\.region\.amazonaws\.com\/v1$/);
    expect(config.publicUrl).toBe(values.PUBLIC_URL?.toLowerCase());
    expect(prod.before.hosts).toContain('api');
    expect(config.metrics).toBe('emf');
    expect(config.names.buckets.state).toBe('trunkline-prod-state-account-region');
  });
});

describe('networks', () => {
  const types = (resources: readonly Resource[]) => resources.length;

  it('reach DynamoDB and S3 directly, and are without NAT unless they are private', () => {
    for (const [stack, nats, endpoints] of [
      [hosts, 0, 2],
      [dev.stacks.hosts, 1, 9],
    ] as const) {
      expect(types(resourcesOf(stack, 'AWS::EC2::NatGateway'))).toBe(nats);
      expect(types(resourcesOf(stack, 'AWS::EC2::VPCEndpoint'))).toBe(endpoints);
      expect(types(resourcesOf(stack, 'AWS::EC2::FlowLog'))).toBe(1);
    }
  });
});

describe('functions', () => {
  const made = resourcesOf(functions, 'AWS::Lambda::Function').filter(
    ({ Properties }) => Properties.FunctionName !== undefined,
  );
  const environmentOf = (name: string): Record<string, string> => {
    const found = made.find(({ Properties }) => Properties.FunctionName === `trunkline-prod-${name}`);
    const { Variables } = z
      .object({ Variables: z.record(z.string(), z.unknown()) })
      .parse(found?.Properties.Environment);
    return Object.fromEntries(Object.entries(Variables).map(([key, value]) => [key, text(value, functions)]));
  };

  it('run on Node 24 and ARM64, each with a log that ends some day', () => {
    for (const { Properties } of made) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
    }
    for (const stacks of [prod.stacks, dev.stacks])
      for (const { id, Properties } of Object.values(stacks).flatMap((one) =>
        resourcesOf(one, 'AWS::Lambda::Function'),
      ))
        expect(Properties.LoggingConfig, id).toHaveProperty('LogGroup');
    const logs = Object.values(prod.stacks).flatMap((stack) => resourcesOf(stack, 'AWS::Logs::LogGroup'));
    expect(logs.length).toBeGreaterThan(made.length);
    for (const { Properties } of logs) expect(Properties.RetentionInDays).toBe(90);
  });

  it('find what they need in their environment', () => {
    for (const name of ['api-sessions', 'api-chatting', 'api-docs'])
      expect(apiEnvSchema.parse(environmentOf(name))).toMatchObject({
        RESOURCE_PREFIX: 'trunkline-prod',
        SHARD_COUNT: 64,
      });
    expect(reconcilerEnvSchema.parse(environmentOf('reconciler')).SHARD_COUNT).toBe(64);
    const capacity = environmentOf('capacity');
    expect(ecsEnvSchema.parse(capacity)).toEqual({
      ECS_CLUSTER: 'trunkline-prod',
      ECS_SOCKET_SERVICE: 'trunkline-prod-socket',
    });
    expect(fleetPools(capacityEnvSchema.parse(capacity))).toMatchObject([
      { pool: 'socket', limits: { unitsPerHost: 500, warmSpares: 1, minHosts: 0, maxHosts: 10 } },
    ]);
    expect(eventProjectorEnvSchema.parse(environmentOf('event-projector')).BUCKET_SUFFIX).toBe('-account-region');
    for (const name of ['stream-connections', 'stream-fanout', 'stream-sender'])
      expect(eventStreamEnvSchema.parse(environmentOf(name)).BUCKET_SUFFIX).toBe('-account-region');
    expect(authorizerEnvSchema.parse(environmentOf('authorizer')).USAGE_PLANS).toBe('standard');
  });
});

describe('alarms', () => {
  const alarms = resourcesOf(observability, 'AWS::CloudWatch::Alarm').map(({ Properties }) => ({
    name: String(Properties.AlarmName),
    links: /docs\/runbook\.md#([a-z-]+)$/.exec(String(Properties.AlarmDescription))?.[1],
    actions: Properties.AlarmActions,
  }));
  const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
  const headings = [...(runbook.split('# Procedures')[0] ?? '').matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);

  const named = (name: string) =>
    resourcesOf(observability, 'AWS::CloudWatch::Alarm').find(
      ({ Properties }) => Properties.AlarmName === `trunkline-prod-${name}`,
    );

  it('each lead to a heading of the runbook, and each heading has one', () => {
    expect(alarms.length).toBeGreaterThan(15);
    for (const { name, links } of alarms) expect(headings, name).toContain(links);
    expect([...new Set(alarms.map(({ links }) => links))].sort()).toEqual([...headings].sort());
  });

  it('of what hosts and functions count themselves read the metrics that those emit', () => {
    const emitted = new Set<string>(Object.values(METRICS).map(({ name }) => name));
    const read = resourcesOf(observability, 'AWS::CloudWatch::Alarm')
      .flatMap(({ Properties }) => [
        metricSchema.safeParse(Properties).data,
        ...z
          .array(z.object({ MetricStat: z.object({ Metric: metricSchema }).optional() }))
          .catch([])
          .parse(Properties.Metrics)
          .map((one) => one.MetricStat?.Metric),
      ])
      .filter((metric) => metric !== undefined && !/^(?:AWS|ECS)\//.test(metric.Namespace));
    expect(read.length).toBeGreaterThan(6);
    for (const metric of read) {
      expect(metric).toMatchObject({ Namespace: 'trunkline-prod', Dimensions: [{ Name: 'Pool', Value: 'socket' }] });
      expect(emitted).toContain(metric?.MetricName);
    }
  });

  it('speak up when the sessions take more hosts than there may be', () => {
    expect(named('hosts-at-limit')?.Properties).toMatchObject({ MetricName: 'PoolLoad', Threshold: 5_000 });
  });

  it.each(['hosts-missing', 'shards-without-host'])(
    '%s goes off although a minute was better, or is missing',
    (name) => {
      expect(named(name)?.Properties).toMatchObject({ EvaluationPeriods: 10, DatapointsToAlarm: 8 });
    },
  );

  it.each(['capacity', 'reconciler'])('%s-failing goes off too when nobody calls the function', (name) => {
    const failing = named(`${name}-failing`)?.Properties;
    expect(failing).toMatchObject({ Threshold: 2, TreatMissingData: 'breaching' });
    expect(JSON.stringify(failing)).toContain('IF(FILL(calls, 0) < 1, 5, FILL(errors, 0))');
    const of = { Dimensions: [{ Name: 'FunctionName', Value: `trunkline-prod-${name}` }], Namespace: 'AWS/Lambda' };
    for (const MetricName of ['Invocations', 'Errors'])
      expect(failing?.Metrics).toContainEqual(
        expect.objectContaining({ MetricStat: expect.objectContaining({ Metric: { ...of, MetricName } }) }),
      );
  });

  it('of event streams goes off when each handshake fails, and is there where they are', () => {
    expect(named('stream-connections-failing')?.Properties).toMatchObject({
      MetricName: 'Errors',
      Dimensions: [{ Name: 'FunctionName', Value: 'trunkline-prod-stream-connections' }],
      TreatMissingData: 'notBreaching',
    });
    const without = synthesize('dev', { eventStream: 'false' }).stacks.observability;
    expect(JSON.stringify(without)).not.toContain('stream-connections-failing');
  });

  it('at the limit is raised by a deployment of the stacks that the runbook names', () => {
    const more = synthesize('prod', { maxHosts: '11' }).stacks;
    const changed = Object.keys(prod.stacks).filter(
      (name) => JSON.stringify(more[name]) !== JSON.stringify(prod.stacks[name]),
    );
    const [, section = ''] = /^## hosts-at-limit\n([^#]*)/m.exec(runbook) ?? [];
    expect([...section.matchAll(/`P-([a-z]+)`/g)].map(([, name]) => name).sort()).toEqual(changed.sort());
  });

  it('of missing hosts is not silent when there is none', () => {
    const missing = named('hosts-missing');
    expect(JSON.stringify(missing?.Properties)).toContain('FILL(wanted, 0) - FILL(running, 0)');
    const read = JSON.stringify(missing?.Properties).match(/"MetricName":"\w+","Namespace":"[^"]+"/g);
    expect(read?.sort()).toEqual(
      ['HostsRunning', 'HostsWanted'].map((name) => `"MetricName":"${name}","Namespace":"trunkline-prod"`),
    );
  });

  it('tell somebody', () => {
    for (const { actions } of alarms) expect(actions).toHaveLength(1);
    // The topic's own policy takes the place of SNS's default one, so CloudWatch has to be named.
    const [policy] = resourcesOf(observability, 'AWS::SNS::TopicPolicy');
    expect(JSON.stringify(policy?.Properties)).toMatch(
      /"Action":"sns:Publish","Condition":\{"StringEquals":\{"aws:SourceAccount".*"Effect":"Allow","Principal":\{"Service":"cloudwatch.amazonaws.com"\}/,
    );
    const sums = resourcesOf(observability, 'AWS::CloudWatch::Alarm').filter(({ Properties }) =>
      JSON.stringify(Properties).includes('ThrottleEvents'),
    );
    expect(sums.length).toBeGreaterThan(5);
    for (const { Properties } of sums) expect(JSON.stringify(Properties)).toContain('FILL(reads, 0) + FILL(writes, 0)');
    const { observability: told } = synthesize('dev', { alarmEmail: 'ops@example.com' }).stacks;
    expect(resourcesOf(told, 'AWS::SNS::Subscription')[0]?.Properties).toMatchObject({ Endpoint: 'ops@example.com' });
  });
});

describe('settings', () => {
  it('of both stages are usable, and known by name', () => {
    for (const stage of Object.keys(STAGES)) expect(readSettings(stage, {}).stage).toBe(stage);
  });

  it('come from the command line as text', () => {
    const given = { shards: '128', waf: 'false', usagePlans: '{"a":{"rate":1,"burst":2}}' };
    expect(readSettings('prod', given)).toMatchObject({
      shards: 128,
      waf: false,
      usagePlans: { a: { rate: 1, burst: 2 } },
    });
  });

  it.each([
    ['shards', '0'],
    ['shards', 'many'],
    ['network', 'none'],
    ['hostMemoryMiB', '512'],
    ['domainName', 'wa.example.com'],
    ['logDays', '8'],
    ['authorizerCacheSeconds', '5'],
    ['eventLogDays', '91'],
    ['eventLogDays', '3'],
    ['usagePlans', '{}'],
    ['waf', 'perhaps'],
    ['maxHost', '0'],
    ['maxHosts', ''],
    ['webhookCustomHeaders', ''],
  ])('%s=%s is refused by name', (name, value) => {
    const read = () => readSettings('prod', { [name]: value });
    expect(read).toThrow(SettingsError);
    expect(read).toThrow(name);
  });

  it('are refused by the app if there are none of that name, whatever else the context holds', () => {
    expect(() => synthesize('dev', { shard: '128' })).toThrow(/shard: there is no such setting/);
    const others = { 'aws:cdk:bundling-stacks': ['**'], 'cdk-migrate': false, '@aws-cdk/core:flag': true };
    expect(readSettings('dev', { stage: 'dev', target: 'local', like: 'dev', ...others }).shards).toBe(8);
  });

  it('are all explained, with what they cost', () => {
    const page = readFileSync(new URL('../../infra/README.md', import.meta.url), 'utf8');
    const explained = [...page.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    expect(explained.sort()).toEqual(Object.keys(settingsSchema.shape).sort());
  });

  it('are documented as the stages have them', () => {
    const page = readFileSync(new URL('../../infra/README.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(\w+)` \| (.+?) \| (.+?) \|/gm)];
    expect(rows.length).toBeGreaterThan(20);
    const plain = (cell = '') => cell.replace(/[`,]/g, '').replace('built', 'none');
    for (const [index, stage] of ['dev', 'prod'].entries()) {
      const { usagePlans, ...settings } = readSettings(stage, {});
      const shown = new Map<string, string>(Object.entries(settings).map(([name, value]) => [name, String(value)]));
      shown.set('usagePlans', `${usagePlans.standard?.rate}/s`);
      for (const [, name = '', ...cells] of rows)
        expect(plain(cells[index]), `${name} of ${stage}`).toBe(shown.get(name) ?? 'none');
    }
  });
});

it('the command line finds the app, without network or credentials', () => {
  const names = execFileSync('npx', ['--no-install', 'cdk', 'list', '-c', 'stage=prod', '--no-notices'], {
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
    },
  });
  expect(names.trim().split('\n').sort()).toEqual(
    Object.keys(prod.stacks)
      .map((name) => `trunkline-prod-${name}`)
      .sort(),
  );
}, 120_000);
