import { fileURLToPath } from 'node:url';
import { Aws, Stack, type StackProps } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { Cluster, ContainerImage, ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { ImageAddress } from '../config/image-address.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { HostService } from '../constructs/host-service.ts';
import { Network } from '../constructs/network.ts';
import type { Installation } from '../installation.ts';
import type { DataStack } from './data-stack.ts';
import { allowHost } from './host-rights.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface HostsStackProps extends StackProps {
  readonly installation: Installation;
  readonly data: DataStack;
}

/** The network and the engine hosts. */
export class HostsStack extends Stack {
  readonly cluster: Cluster;
  /** Pool of NOWEB and GOWS. */
  readonly socket: HostService;

  constructor(scope: Construct, id: string, { installation, data, ...props }: HostsStackProps) {
    super(scope, id, props);
    const { settings, names, ecs } = installation;
    const network = new Network(this, 'Network', installation);
    this.cluster = new Cluster(this, 'Cluster', {
      clusterName: ecs.cluster,
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    const taskRole = new Role(this, 'SocketRole', {
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
      description: `What a host of ${names.prefix} may do`,
    });
    allowHost(taskRole, data, installation);
    this.socket = new HostService(this, 'Socket', {
      installation,
      data,
      cluster: this.cluster,
      network,
      image: hostImage(this, settings.hostImage),
      pool: 'socket',
      engines: ['NOWEB'],
      taskRole,
    });
    acknowledge(this.socket, {
      ECS2: 'The environment holds names and figures; the one secret is read from Secrets Manager.',
    });
  }
}

/** With an image from ECR come the rights to pull it; in another account its repository has to give them too. */
function hostImage(scope: Construct, image: ImageAddress | undefined): ContainerImage {
  if (image === undefined)
    return ContainerImage.fromAsset(ROOT, { file: 'engine-host/Dockerfile', platform: Platform.LINUX_ARM64 });
  if (image.registry === 'public') return ContainerImage.fromRegistry(image.address);
  const { account, region, repository, version } = image;
  const found = Repository.fromRepositoryAttributes(scope, 'HostImage', {
    repositoryName: repository,
    repositoryArn: `arn:${Aws.PARTITION}:ecr:${region}:${account}:repository/${repository}`,
  });
  return ContainerImage.fromEcrRepository(found, version);
}
