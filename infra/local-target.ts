import { type App, Aspects, CfnResource, type IAspect } from 'aws-cdk-lib';
import { CfnRestApi } from 'aws-cdk-lib/aws-apigateway';
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';
import * as z from 'zod';
import { acknowledge } from './constructs/acknowledge.ts';

/** The provider functions of these ask Lambda's runtime for the AWS SDK; an emulator that runs functions as processes has none. */
const NO_SDK = ['Custom::S3AutoDeleteObjects', 'Custom::Trigger', 'Custom::VpcRestrictDefaultSG'];
/** Types that MiniStack's CloudFormation does not know. The platform works without; only AWS replays events. */
const UNKNOWN = ['AWS::Events::Archive', 'AWS::EC2::FlowLog'];
/** MiniStack looks for a usage plan's key in the header, whatever the API says; ours comes from the authorizer. */
const PLAN_SCHEME = 'api_key';

const definitionSchema = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ security: z.array(z.record(z.string(), z.unknown())).optional() })),
  ),
});

/** `-c target=local`: the stacks are for an emulator. */
export function isForEmulator(app: App): boolean {
  return app.node.tryGetContext('target') === 'local';
}

/** Takes out of every stack what an emulator cannot make. Without hosts of the installation's own, their number is nobody's to decide. */
export function leaveOutForEmulator(app: App, { withHosts }: { readonly withHosts: boolean }): void {
  Aspects.of(app).add(new LeaveOut(new Set([...NO_SDK, ...UNKNOWN]), withHosts));
  acknowledge(app, { VPC7: 'An emulator has no traffic to log.' });
}

class LeaveOut implements IAspect {
  readonly #types: ReadonlySet<string>;
  readonly #withHosts: boolean;

  constructor(types: ReadonlySet<string>, withHosts: boolean) {
    this.#types = types;
    this.#withHosts = withHosts;
  }

  visit(node: IConstruct): void {
    if (!this.#withHosts && node instanceof CfnFunction)
      node.addPropertyDeletionOverride('Environment.Variables.ECS_CLUSTER');
    if (node instanceof CfnRestApi) node.body = withoutUsagePlans(node.body);
    if (!CfnResource.isCfnResource(node)) return;
    const lacking = this.#types.has(node.cfnResourceType) || isMetricMath(node);
    if (lacking) node.node.scope?.node.tryRemoveChild(node.node.id);
  }
}

/** MiniStack has alarms on one metric only. */
const isMetricMath = (node: CfnResource): boolean => node instanceof CfnAlarm && node.metrics !== undefined;

function withoutUsagePlans(body: unknown): unknown {
  const definition = definitionSchema.parse(body);
  for (const operation of Object.values(definition.paths).flatMap((path) => Object.values(path))) {
    if (operation.security !== undefined)
      operation.security = operation.security.filter((one) => !(PLAN_SCHEME in one));
  }
  return definition;
}
