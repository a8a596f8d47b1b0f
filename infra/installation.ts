import { Aws } from 'aws-cdk-lib';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import type { ResourceDefinition } from '#shared/contracts/resource-shapes.ts';
import { type ResourceNames, resourceNames } from '#shared/contracts/resources.ts';
import type { Settings } from './config/settings.ts';

/** One installation of the platform in an account: its settings, and what they make of the contracts. */
export interface Installation {
  readonly settings: Settings;
  readonly names: ResourceNames;
  readonly resources: ResourceDefinition;
  /** What the engine hosts' cluster and services are called; the capacity function knows them by these names. */
  readonly ecs: { readonly cluster: string; readonly services: { readonly socket: string } };
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
  return {
    settings,
    withCode,
    names,
    resources: resourceDefinition(settings.shards, names),
    ecs: { cluster: names.prefix, services: { socket: `${names.prefix}-socket` } },
    environment,
  };
}
