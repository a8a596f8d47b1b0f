import { type App, Aspects, CfnResource, type IAspect } from 'aws-cdk-lib';
import { CfnRestApi } from 'aws-cdk-lib/aws-apigateway';
import { CfnApi as CfnSocketApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';
import * as z from 'zod';
import { STREAM_STAGE } from '#shared/contracts/event-stream.ts';
import { acknowledge } from './constructs/acknowledge.ts';

/** The provider functions of these ask Lambda's runtime for the AWS SDK; an emulator that runs functions as processes has none. */
const NO_SDK = ['Custom::S3AutoDeleteObjects', 'Custom::Trigger', 'Custom::VpcRestrictDefaultSG'];
/** Types that MiniStack's CloudFormation does not know. The platform works without; only AWS replays events. */
const UNKNOWN = ['AWS::Events::Archive', 'AWS::EC2::FlowLog'];
/** MiniStack looks for a usage plan's key in the header, whatever the API says; ours comes from the authorizer. */
const PLAN_SCHEME = 'api_key';
/** Id of the API of event streams, by a tag that MiniStack looks at: the function that writes to its connections comes before it, and has to know. */
const STREAM_API = { tag: 'ms-custom-id', id: '57ea3000' } as const;
/** Where MiniStack listens by default. */
const ENDPOINT = 'http://127.0.0.1:4566';

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

/** What is left out, and where the rest finds the emulator. */
interface LocalTarget {
  readonly withHosts: boolean;
  readonly endpoint: string;
}

/** Takes out of every stack what an emulator cannot make. Without hosts of the installation's own, their number is nobody's to decide. */
export function leaveOutForEmulator(app: App, { withHosts }: Pick<LocalTarget, 'withHosts'>): void {
  const endpoint: unknown = app.node.tryGetContext('endpoint');
  Aspects.of(app).add(new FitEmulator({ withHosts, endpoint: typeof endpoint === 'string' ? endpoint : ENDPOINT }));
  acknowledge(app, { VPC7: 'An emulator has no traffic to log.' });
}

class FitEmulator implements IAspect {
  readonly #lacking: ReadonlySet<string> = new Set([...NO_SDK, ...UNKNOWN]);
  readonly #target: LocalTarget;

  constructor(target: LocalTarget) {
    this.#target = target;
  }

  visit(node: IConstruct): void {
    if (node instanceof CfnFunction) this.#fit(node);
    if (node instanceof CfnRestApi) node.body = withoutUsagePlans(node.body);
    if (node instanceof CfnSocketApi) node.addPropertyOverride(`Tags.${STREAM_API.tag}`, STREAM_API.id);
    if (!CfnResource.isCfnResource(node)) return;
    const lacking = this.#lacking.has(node.cfnResourceType) || isMetricMath(node);
    if (lacking) node.node.scope?.node.tryRemoveChild(node.node.id);
  }

  #fit(node: CfnFunction): void {
    const { withHosts, endpoint } = this.#target;
    const variables = 'Environment.Variables';
    if (!withHosts) node.addPropertyDeletionOverride(`${variables}.ECS_CLUSTER`);
    // MiniStack tells the function of a name that nothing resolves.
    if (node.functionName?.endsWith('-stream-sender'))
      node.addPropertyOverride(
        `${variables}.AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI`,
        `${endpoint}/_aws/execute-api/${STREAM_API.id}/${STREAM_STAGE}`,
      );
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
