import { Aws } from 'aws-cdk-lib';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import type { ResourceDefinition } from '#shared/contracts/resource-shapes.ts';
import { type ResourceNames, resourceNames } from '#shared/contracts/resources.ts';
import { type HostPools, hostPools } from './config/pools.ts';
import type { Settings } from './config/settings.ts';

/** One installation of the platform in an account: its settings, and what they make of the contracts. */
export interface Installation {
  readonly settings: Settings;
  readonly names: ResourceNames;
  readonly resources: ResourceDefinition;
  /** The engine hosts' pools, and what the cluster of their services is called. */
  readonly pools: HostPools;
  readonly cluster: string;
  /** Whether functions get their code; without it a template is the same but for the code's address. */
  readonly withCode: boolean;
  /** Environment by which every program finds the installation's resources. */
  readonly environment: Readonly<Record<string, string>>;
}

export function installationOf(settings: Settings, withCode: boolean): Installation {
  const environment = {
    RESOURCE_PREFIX: `trunkline-${settings.stage}`,
    BUCKET_SUFFIX: `-${Aws.ACCOUNT_ID}-${Aws.REGION}`,
  };
  const names = resourceNames(environment);
  const pools = hostPools(settings, names);
  const [, browser] = pools;
  return {
    settings,
    withCode,
    names,
    resources: resourceDefinition(settings.shards, names, browser?.shards),
    pools,
    cluster: names.prefix,
    environment,
  };
}
