import { Aws, CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnApi, CfnIntegration, CfnRoute, CfnStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnPermission } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { STREAM_STAGE } from '#shared/contracts/event-stream.ts';
import { acknowledge, acknowledgePattern } from '../constructs/acknowledge.ts';
import { retention } from '../constructs/platform-function.ts';
import type { Installation } from '../installation.ts';
import type { FunctionsStack } from './functions-stack.ts';

const ROUTES = ['$connect', '$default', '$disconnect'] as const;

/** What a connection is logged with; not its query, in which a key may be. */
const ACCESS_LOG_FIELDS = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  ip: '$context.identity.sourceIp',
  route: '$context.routeKey',
  status: '$context.status',
  error: '$context.error.responseType',
  functionMilliseconds: '$context.integration.latency',
  functionStatus: '$context.integration.status',
} as const;

export interface EventStreamStackProps extends StackProps {
  readonly installation: Installation;
  readonly functions: FunctionsStack;
}

/** The event stream: a WebSocket API, and the right to write to its connections. */
export class EventStreamStack extends Stack {
  constructor(scope: Construct, id: string, { installation, functions, ...props }: EventStreamStackProps) {
    super(scope, id, props);
    const { settings, names } = installation;
    const { ref: apiId } = new CfnApi(this, 'Api', {
      name: `${names.prefix}-stream`,
      protocolType: 'WEBSOCKET',
      // What clients send is for nobody, whatever is in it.
      routeSelectionExpression: '$request.body.route',
    });
    const { functionArn } = functions.functionNamed('stream-connections');
    const lambda = `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}:lambda:path/2015-03-31/functions`;
    const integration = new CfnIntegration(this, 'Integration', {
      apiId,
      integrationType: 'AWS_PROXY',
      integrationUri: `${lambda}/${functionArn}/invocations`,
    });
    for (const routeKey of ROUTES) {
      const route = new CfnRoute(this, routeKey, {
        apiId,
        routeKey,
        authorizationType: 'NONE',
        target: `integrations/${integration.ref}`,
      });
      acknowledge(route, {
        APIG4: 'The function behind $connect looks for the key and refuses the handshake without.',
      });
    }
    const logGroup = new LogGroup(this, 'AccessLog', {
      logGroupName: `/trunkline/${settings.stage}/stream`,
      retention: retention(settings.logDays),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new CfnStage(this, 'Stage', {
      apiId,
      stageName: STREAM_STAGE,
      autoDeploy: true,
      accessLogSettings: { destinationArn: logGroup.logGroupArn, format: JSON.stringify(ACCESS_LOG_FIELDS) },
      defaultRouteSettings: {
        throttlingRateLimit: settings.throttleRate,
        throttlingBurstLimit: settings.throttleBurst,
      },
    });
    const api = `arn:${Aws.PARTITION}:execute-api:${Aws.REGION}:${Aws.ACCOUNT_ID}:${apiId}/${STREAM_STAGE}`;
    new CfnPermission(this, 'Call', {
      action: 'lambda:InvokeFunction',
      functionName: functionArn,
      principal: 'apigateway.amazonaws.com',
      sourceArn: `${api}/*`,
    });
    // Here and not with the function's other rights: the API comes after the functions.
    const policy = new Policy(this, 'Connections', {
      roles: [functions.roleNamed('stream-sender')],
      statements: [
        new PolicyStatement({
          actions: ['execute-api:ManageConnections'],
          resources: ['POST', 'DELETE'].map((method) => `${api}/${method}/@connections/*`),
        }),
      ],
    });
    for (const method of ['POST', 'DELETE'])
      acknowledgePattern(
        policy,
        `${api.replace(apiId, '<Api>')}/${method}/@connections/*`,
        'A connection’s id is not known before it is open.',
      );
    new CfnOutput(this, 'StreamUrl', {
      value: `wss://${apiId}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}/${STREAM_STAGE}`,
      description: 'Event stream for callers with a key',
    });
  }
}
