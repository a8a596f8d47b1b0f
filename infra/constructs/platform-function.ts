import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, RecursiveLoop, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Installation } from '../installation.ts';
import { type BundledFiles, bundle } from './bundle.ts';

export interface PlatformFunctionProps {
  readonly installation: Installation;
  /** Its folder below `functions/`. */
  readonly entry: string;
  readonly files?: BundledFiles;
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
  /** What it sends may call it again, directly or through others, any number of times. */
  readonly feedsItself?: true;
  readonly environment: Readonly<Record<string, string>>;
}

export interface PlatformFunction {
  readonly function: LambdaFunction;
  readonly role: Role;
}

/** A function of `functions/`, with a role and a log of its own. The role may write that log and nothing else yet. */
export function platformFunction(scope: Construct, name: string, props: PlatformFunctionProps): PlatformFunction {
  const { installation, entry, files, memoryMiB, timeoutSeconds, feedsItself, environment } = props;
  const logGroup = new LogGroup(scope, `${name}-log`, {
    logGroupName: `/trunkline/${installation.settings.stage}/${name}`,
    retention: retention(installation.settings.logDays),
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const role = new Role(scope, `${name}-role`, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `What ${name} of ${installation.names.prefix} may do`,
  });
  role.addToPolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    }),
  );
  const made = new LambdaFunction(scope, name, {
    functionName: `${installation.names.prefix}-${name}`,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    handler: 'index.handler',
    code: installation.withCode ? Code.fromAsset(bundle(entry, files).path) : Code.fromInline('//'),
    role,
    logGroup,
    memorySize: memoryMiB,
    timeout: Duration.seconds(timeoutSeconds),
    // By default Lambda refuses the seventeenth call of one chain.
    ...(feedsItself && { recursiveLoop: RecursiveLoop.ALLOW }),
    environment: { ...installation.environment, ...environment },
  });
  return { function: made, role };
}

/** CloudWatch's enumeration consists of the numbers of days. */
export function retention(days: number): RetentionDays {
  return days;
}
