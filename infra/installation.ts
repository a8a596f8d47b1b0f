import { Aws } from 'aws-cdk-lib';
import {
  type ResourceDefinition,
  type ResourceNames,
  resourceDefinition,
  resourceNames,
} from '#shared/contracts/resources.ts';
import type { Settings } from './config/settings.ts';

/** One installation of the platform in an account: its settings, and what they make of the contracts. */
export interface Installation {
  readonly settings: Settings;
  readonly names: ResourceNames;
  readonly resources: ResourceDefinition;
  /** Environment by which every program finds the installation's resources. */
  readonly environment: Readonly<Record<string, string>>;
}

export function installationOf(settings: Settings): Installation {
  const environment = {
    RESOURCE_PREFIX: `trunkline-${settings.stage}`,
    BUCKET_SUFFIX: `-${Aws.ACCOUNT_ID}-${Aws.REGION}`,
  };
  const names = resourceNames(environment);
  return { settings, names, resources: resourceDefinition(settings.shards, names), environment };
}
