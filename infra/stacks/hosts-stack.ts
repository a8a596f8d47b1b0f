import { fileURLToPath } from 'node:url';
import { Aws, Stack, type StackProps } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { Cluster, ContainerImage, ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Pool } from '#shared/contracts/resources.ts';
import type { HostPool } from '../config/pools.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { HostService } from '../constructs/host-service.ts';
import { Network } from '../constructs/network.ts';
import type { Installation } from '../installation.ts';
import type { DataStack } from './data-stack.ts';
import { allowHost } from './host-rights.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const IDS: Readonly<Record<Pool, string>> = { socket: 'Socket', browser: 'Browser' };
const IMAGE_IDS: Readonly<Record<Pool, string>> = { socket: 'HostImage', browser: 'BrowserHostImage' };

export interface HostsStackProps extends StackProps {
  readonly installation: Installation;
  readonly data: DataStack;
  /** Address of the HTTP API, for links in events. */
  readonly publicUrl: string;
}

/** The network and the engine hosts. */
export class HostsStack extends Stack {
  constructor(scope: Construct, id: string, { installation, data, publicUrl, ...props }: HostsStackProps) {
    super(scope, id, props);
    const { names, pools } = installation;
    const network = new Network(this, 'Network', installation);
    const cluster = new Cluster(this, 'Cluster', {
      clusterName: installation.cluster,
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    for (const pool of pools) {
      const id = IDS[pool.name];
      const taskRole = new Role(this, `${id}Role`, {
        assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
        description: `What a host of ${names.prefix} may do`,
      });
      allowHost(taskRole, data, installation, pool.name);
      const image = hostImage(this, pool);
      const common = { installation, data, publicUrl, cluster, network };
      const service = new HostService(this, id, { ...common, image, pool, taskRole });
      acknowledge(service, {
        ECS2: 'The environment holds names and figures; the one secret is read from Secrets Manager.',
      });
    }
  }
}

/** With an image from ECR come the rights to pull it; in another account its repository has to give them too. */
function hostImage(scope: Construct, { name, image }: HostPool): ContainerImage {
  if (image === undefined) {
    const platform = Platform.LINUX_ARM64;
    return ContainerImage.fromAsset(ROOT, { file: 'engine-host/Dockerfile', target: name, platform });
  }
  if (image.registry === 'public') return ContainerImage.fromRegistry(image.address);
  const { account, region, repository, version } = image;
  const found = Repository.fromRepositoryAttributes(scope, IMAGE_IDS[name], {
    repositoryName: repository,
    repositoryArn: `arn:${Aws.PARTITION}:ecr:${region}:${account}:repository/${repository}`,
  });
  return ContainerImage.fromEcrRepository(found, version);
}
