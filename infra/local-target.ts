import { type App, Aspects, CfnResource, type IAspect } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** The provider functions of these ask Lambda's runtime for the AWS SDK; an emulator that runs functions as processes has none. */
const NO_SDK = ['Custom::S3AutoDeleteObjects', 'Custom::Trigger', 'Custom::VpcRestrictDefaultSG'];
/** Types that the emulators' CloudFormation does not know. The platform works without; only AWS replays and logs flows. */
const UNKNOWN = ['AWS::Events::Archive', 'AWS::EC2::FlowLog'];

/** Takes out of every stack what an emulator cannot make: `-c target=local`. */
export function leaveOutForEmulators(app: App): void {
  Aspects.of(app).add(new LeaveOut(new Set([...NO_SDK, ...UNKNOWN])));
}

class LeaveOut implements IAspect {
  readonly #types: ReadonlySet<string>;

  constructor(types: ReadonlySet<string>) {
    this.#types = types;
  }

  visit(node: IConstruct): void {
    if (!CfnResource.isCfnResource(node) || !this.#types.has(node.cfnResourceType)) return;
    node.node.scope?.node.tryRemoveChild(node.node.id);
  }
}
