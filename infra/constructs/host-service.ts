import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import {
  AvailabilityZoneRebalancing,
  AwsLogDriverMode,
  type Cluster,
  type ContainerImage,
  Secret as ContainerSecret,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  LinuxParameters,
  LogDrivers,
  OperatingSystemFamily,
  PropagatedTagSource,
  UlimitName,
} from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { HostPool } from '../config/pools.ts';
import type { Installation } from '../installation.ts';
import type { DataStack } from '../stacks/data-stack.ts';
import { allowKeyVia } from './access.ts';
import { acknowledge } from './acknowledge.ts';
import type { Network } from './network.ts';
import { retention } from './platform-function.ts';

export interface HostServiceProps {
  readonly installation: Installation;
  readonly data: DataStack;
  /** Address of the HTTP API, for links in events. */
  readonly publicUrl: string;
  readonly cluster: Cluster;
  readonly network: Network;
  readonly image: ContainerImage;
  readonly pool: HostPool;
  readonly taskRole: Role;
}

/** Time for a drain; the most that Fargate gives. */
const STOP_TIMEOUT = Duration.seconds(120);
/** One socket a session, and what AWS calls need. */
const OPEN_FILES = 65_536;
/** Of a vCPU's worth of small buffers; more than this is lost rather than that a host waits for its log. */
const LOG_BUFFER = Size.mebibytes(8);
const USER = '1000:1000';
const PULSE_FILE = '/tmp/host-pulse';

/** The engine hosts of a pool. How many there are is not said here: that is the capacity function's. */
export class HostService extends Construct {
  readonly service: FargateService;

  constructor(scope: Construct, id: string, props: HostServiceProps) {
    super(scope, id);
    const { installation, data, publicUrl, cluster, network, image, pool, taskRole } = props;
    const { settings, names } = installation;
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/trunkline/${settings.stage}/host-${pool.name}`,
      retention: retention(settings.logDays),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const task = new FargateTaskDefinition(this, 'Task', {
      family: `${names.prefix}-${pool.name}`,
      cpu: pool.cpu,
      memoryLimitMiB: pool.memoryMiB,
      runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64, operatingSystemFamily: OperatingSystemFamily.LINUX },
      taskRole,
      executionRole: this.#executionRole(data, logGroup),
    });
    task.addVolume({ name: 'tmp' });
    const container = task.addContainer('host', {
      image,
      user: USER,
      readonlyRootFilesystem: true,
      stopTimeout: STOP_TIMEOUT,
      linuxParameters: new LinuxParameters(this, 'Linux', { initProcessEnabled: true }),
      ulimits: [{ name: UlimitName.NOFILE, softLimit: OPEN_FILES, hardLimit: OPEN_FILES }],
      logging: LogDrivers.awsLogs({
        logGroup,
        streamPrefix: pool.name,
        mode: AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: LOG_BUFFER,
      }),
      healthCheck: {
        // The host writes the file at every beat.
        command: ['CMD-SHELL', `test -n "$(find ${PULSE_FILE} -newermt '-20 seconds')"`],
        interval: Duration.seconds(15),
        timeout: Duration.seconds(5),
        startPeriod: Duration.seconds(60),
        retries: 3,
      },
      environment: {
        ...installation.environment,
        POOL: pool.name,
        ENGINES: pool.engines.join(),
        SHARD_COUNT: String(pool.shards),
        PUBLIC_URL: publicUrl,
        STATE_KMS_KEY_ID: data.stateKey.keyArn,
        PULSE_FILE,
        LOG_LEVEL: settings.logLevel,
        METRICS: 'emf',
        PACING_DEFAULT_PROFILE: settings.pacingProfile,
        EVENT_LOG_DAYS: String(settings.eventLogDays),
      },
      // By its ARN: the secret itself would name this role in its key's policy, and the stacks would need each other.
      secrets: {
        LOG_HASH_KEY: ContainerSecret.fromSecretsManager(
          Secret.fromSecretCompleteArn(this, 'LogHashKey', data.logHashKey.secretArn),
        ),
      },
    });
    container.addMountPoints({ containerPath: '/tmp', sourceVolume: 'tmp', readOnly: false });

    this.service = new FargateService(this, 'Service', {
      serviceName: pool.service,
      cluster,
      taskDefinition: task,
      vpcSubnets: network.subnets,
      assignPublicIp: network.publicAddresses,
      securityGroups: [network.closedGroup(`${pool.name}-group`, `Hosts of ${names.prefix}, pool ${pool.name}`)],
      ...(pool.desiredCount !== undefined && { desiredCount: pool.desiredCount }),
      // New hosts take over shard by shard before old ones go.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { enable: true, rollback: true },
      // Moving a task to even out zones would hand over its sessions for nothing.
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.DISABLED,
      propagateTags: PropagatedTagSource.SERVICE,
    });
  }

  /** What ECS itself needs to start a task. */
  #executionRole(data: DataStack, logGroup: LogGroup): Role {
    const role = new Role(this, 'ExecutionRole', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
    acknowledge(role, { 'IAM5[Resource::*]': 'ecr:GetAuthorizationToken knows no resources.' });
    logGroup.grantWrite(role);
    allowKeyVia(role, data.dataKey, { secretsmanager: 'read' });
    return role;
  }
}
