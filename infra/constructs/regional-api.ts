import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  ApiDefinition,
  EndpointType,
  LogGroupLogDestination,
  SpecRestApi,
} from 'aws-cdk-lib/aws-apigateway';
import { CfnPermission, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { apiRoutes, IAM_STAGE_VARIABLES } from '#shared/contracts/api/routes.ts';
import type { Installation } from '../installation.ts';
import { acknowledge } from './acknowledge.ts';
import { apiDefinition } from './api-definition.ts';
import { retention } from './platform-function.ts';

export interface RegionalApiProps {
  readonly installation: Installation;
  readonly functionNamed: (name: string) => LambdaFunction;
  readonly authorization: 'key' | 'iam';
}

/** Stage of API Gateway, and so the first part of paths on its own host names. */
export const API_STAGE = 'v1';

/**
 * What a request is logged with. Neither its path nor its query, which name sessions, chats and sometimes a key: the path's
 * template instead.
 */
const ACCESS_LOG_FIELDS = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  ip: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  resource: '$context.resourcePath',
  status: '$context.status',
  error: '$context.error.responseType',
  milliseconds: '$context.responseLatency',
  functionMilliseconds: '$context.integration.latency',
  functionStatus: '$context.integration.status',
  /** Lambda's own, which stands in what it says of an invocation itself, as that it took too long. */
  functionRequestId: '$context.integration.requestId',
  bytes: '$context.responseLength',
  key: '$context.authorizer.keyId',
  principal: '$context.identity.userArn',
} as const;

/** Of these the value stands without quotes, so that filters can compare it. The others can be missing (`-`) or are text. */
const FIGURES: ReadonlySet<string> = new Set(['status', 'milliseconds', 'bytes']);

const ACCESS_LOG_FORMAT = `{${Object.entries(ACCESS_LOG_FIELDS)
  .map(([name, value]) => `"${name}":${FIGURES.has(name) ? value : `"${value}"`}`)
  .join()}}`;

/** The HTTP API over the functions, for callers of one kind. */
export class RegionalApi extends Construct {
  readonly api: SpecRestApi;

  constructor(scope: Construct, id: string, { installation, functionNamed, authorization }: RegionalApiProps) {
    super(scope, id);
    const { settings, names } = installation;
    const name = authorization === 'key' ? names.prefix : `${names.prefix}-iam`;
    const logGroup = new LogGroup(this, 'AccessLog', {
      logGroupName: `/trunkline/${settings.stage}/${authorization === 'key' ? 'api' : 'api-iam'}`,
      retention: retention(settings.logDays),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.api = new SpecRestApi(this, 'Api', {
      restApiName: name,
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: false,
      apiDefinition: ApiDefinition.fromInline(
        apiDefinition({
          title: name,
          functionArn: (route) => functionNamed(route.functionName).functionArn,
          authorization:
            authorization === 'iam'
              ? { kind: 'iam' }
              : {
                  kind: 'key',
                  authorizerArn: functionNamed('authorizer').functionArn,
                  cacheSeconds: settings.authorizerCacheSeconds,
                },
        }),
      ),
      deployOptions: {
        stageName: API_STAGE,
        throttlingRateLimit: settings.throttleRate,
        throttlingBurstLimit: settings.throttleBurst,
        ...(authorization === 'iam' && { variables: { ...IAM_STAGE_VARIABLES } }),
        accessLogDestination: new LogGroupLogDestination(logGroup),
        accessLogFormat: AccessLogFormat.custom(ACCESS_LOG_FORMAT),
      },
    });
    acknowledge(this.api, {
      APIG2: 'The functions check every part of a request against the route table and say which part is wrong.',
      APIG6:
        'The gateway’s execution log writes query strings, in which a key may be. The access log and the functions’ tell what happened.',
    });
    const called = new Set(apiRoutes().map(({ functionName }): string => functionName));
    if (authorization === 'key') called.add('authorizer');
    for (const functionName of called) this.#permit(functionNamed(functionName), functionName);
  }

  get stageArn(): string {
    return `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}::/restapis/${this.api.restApiId}/stages/${this.api.deploymentStage.stageName}`;
  }

  #permit(target: LambdaFunction, name: string): void {
    const api = `arn:${Aws.PARTITION}:execute-api:${Aws.REGION}:${Aws.ACCOUNT_ID}:${this.api.restApiId}`;
    new CfnPermission(this, `Call-${name}`, {
      action: 'lambda:InvokeFunction',
      functionName: target.functionArn,
      principal: 'apigateway.amazonaws.com',
      sourceArn: name === 'authorizer' ? `${api}/authorizers/*` : `${api}/${API_STAGE}/*`,
    });
  }
}
