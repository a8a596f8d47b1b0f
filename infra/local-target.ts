import { type App, Aspects, CfnResource, type IAspect } from 'aws-cdk-lib';
import { CfnRestApi } from 'aws-cdk-lib/aws-apigateway';
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';
import * as z from 'zod';

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

/** `-c target=local`: takes out of the stacks what an emulator cannot make. Hosts are processes there: they have no stack, and their number is nobody's to decide. */
export function isForEmulator(app: App): boolean {
  return app.node.tryGetContext('target') === 'local';
}

/** Takes out of every stack what an emulator cannot make. */
export function leaveOutForEmulator(app: App): void {
  Aspects.of(app).add(new LeaveOut(new Set([...NO_SDK, ...UNKNOWN])));
}

class LeaveOut implements IAspect {
  readonly #types: ReadonlySet<string>;

  constructor(types: ReadonlySet<string>) {
    this.#types = types;
  }

  visit(node: IConstruct): void {
    if (node instanceof CfnFunction) node.addPropertyDeletionOverride('Environment.Variables.ECS_CLUSTER');
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
