import { Aspects, CfnResource, type IAspect, RemovalPolicy } from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IConstruct } from 'constructs';

/** Gives a log with an end to the CDK's own helper functions. Lambda would make them one that is kept for ever. */
export function endHelperLogs(scope: IConstruct, retention: RetentionDays): void {
  Aspects.of(scope).add(new HelperLogs(retention));
}

class HelperLogs implements IAspect {
  readonly #retention: RetentionDays;

  constructor(retention: RetentionDays) {
    this.#retention = retention;
  }

  visit(node: IConstruct): void {
    // Ours are of the class that the CDK has for functions; its helpers are plain resources.
    if (!CfnResource.isCfnResource(node) || node instanceof CfnFunction) return;
    if (node.cfnResourceType !== CfnFunction.CFN_RESOURCE_TYPE_NAME) return;
    const log = new LogGroup(node, 'Log', { retention: this.#retention, removalPolicy: RemovalPolicy.DESTROY });
    node.addPropertyOverride('LoggingConfig', { LogGroup: log.logGroupName });
  }
}
