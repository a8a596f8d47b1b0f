import { App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import cdkConfiguration from '../cdk.json' with { type: 'json' };
import { readSettings } from './config/stages.ts';
import { endHelperLogs } from './constructs/helper-logs.ts';
import { retention } from './constructs/platform-function.ts';
import { type Installation, installationOf } from './installation.ts';
import { isForEmulator, leaveOutForEmulator } from './local-target.ts';
import { ApiStack } from './stacks/api-stack.ts';
import { DataStack } from './stacks/data-stack.ts';
import { EventStreamStack } from './stacks/event-stream-stack.ts';
import { FunctionsStack } from './stacks/functions-stack.ts';
import { HostsStack } from './stacks/hosts-stack.ts';
import { MessagingStack } from './stacks/messaging-stack.ts';
import { ObservabilityStack } from './stacks/observability-stack.ts';

export interface AppOptions {
  /** @default the context's `stage`, or `dev` */
  readonly stage?: string;
  /** @default the CLI's */
  readonly outdir?: string;
  /** Whether functions get their code, which takes most of the time. @default true */
  readonly withCode?: boolean;
  /** More context than the command line gives. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** The CDK app of one stage. */
export function createApp({ stage, outdir, withCode = true, context = {} }: AppOptions = {}): App {
  const app = new App({
    ...(outdir !== undefined && { outdir }),
    // Feature flags stand in cdk.json, which only the CLI reads.
    context: { ...cdkConfiguration.context, ...context },
  });
  const fromContext: unknown = app.node.tryGetContext('stage');
  const name = stage ?? (typeof fromContext === 'string' ? fromContext : 'dev');
  const settings = readSettings(name, app.node.getAllContext());
  const isLocal = isForEmulator(app);
  const installation = installationOf(settings, withCode);
  // An emulator without Docker cannot build the hosts' images, but it can be told of them.
  const withHosts = !isLocal || installation.pools.every(({ image }) => image !== undefined);
  createStacks(app, installation, withHosts);
  endHelperLogs(app, retention(settings.logDays));
  if (isLocal) leaveOutForEmulator(app, { withHosts });
  Validations.of(app).addPlugins(new AwsSolutionsChecks());
  return app;
}

function createStacks(app: App, installation: Installation, withHosts: boolean): void {
  const { settings } = installation;
  const { prefix } = installation.names;
  const common = { installation, terminationProtection: settings.keepData };
  const data = new DataStack(app, `${prefix}-data`, common);
  const messaging = new MessagingStack(app, `${prefix}-messaging`, { ...common, dataKey: data.dataKey });
  const functions = new FunctionsStack(app, `${prefix}-functions`, { installation, data, messaging });
  const api = new ApiStack(app, `${prefix}-api`, { installation, functions });
  if (withHosts) {
    const hosts = new HostsStack(app, `${prefix}-hosts`, { installation, data, publicUrl: api.address });
    // What events name has to be there before they name it, also where the address is known without that stack.
    hosts.addStackDependency(api);
  }
  if (settings.eventStream) {
    const stream = new EventStreamStack(app, `${prefix}-stream`, { installation, functions });
    // API Gateway may write logs from then on.
    stream.addStackDependency(api);
  }
  new ObservabilityStack(app, `${prefix}-observability`, { installation, dataKey: data.dataKey });
  Tags.of(app).add('trunkline:stage', settings.stage, {
    // Its schema in tools of last year knows no tags.
    excludeResourceTypes: ['AWS::CloudWatch::Dashboard'],
  });
}
