import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as FunctionTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Trigger } from 'aws-cdk-lib/triggers';
import type { Construct } from 'constructs';
import { CONTROL_SOURCE } from '#shared/contracts/fleet-events.ts';
import type { HostPool } from '../config/pools.ts';
import type { Settings } from '../config/settings.ts';
import {
  allowEvents,
  allowHostCount,
  allowKeyVia,
  allowListing,
  allowObjects,
  allowQueues,
  allowShardQueues,
  allowTables,
  keyUseOf,
} from '../constructs/access.ts';
import { platformFunction } from '../constructs/platform-function.ts';
import type { Installation } from '../installation.ts';
import type { DataStack } from './data-stack.ts';
import { FUNCTION_RIGHTS, type FunctionName, type FunctionRights } from './function-rights.ts';
import { FUNCTION_SHAPES, type FunctionShape } from './function-shapes.ts';
import type { MessagingStack } from './messaging-stack.ts';

export interface FunctionsStackProps extends StackProps {
  readonly installation: Installation;
  readonly data: DataStack;
  readonly messaging: MessagingStack;
}

const SHAPES: Readonly<Record<FunctionName, FunctionShape>> = FUNCTION_SHAPES;

/** All functions, each with a role of its own, and what calls them besides the API. */
export class FunctionsStack extends Stack {
  readonly functions: Readonly<Record<FunctionName, LambdaFunction>>;
  readonly #roles = new Map<string, Role>();

  constructor(scope: Construct, id: string, props: FunctionsStackProps) {
    super(scope, id, props);
    const { installation, data, messaging } = props;
    const make = (name: FunctionName): LambdaFunction => {
      const environment = environmentOf(name, props);
      const made = platformFunction(this, name, { installation, ...SHAPES[name], environment });
      this.#allow(made.role, name, props);
      this.#roles.set(name, made.role);
      return made.function;
    };
    this.functions = {
      'api-sessions': make('api-sessions'),
      'api-pairing': make('api-pairing'),
      'api-contacts': make('api-contacts'),
      'api-chatting': make('api-chatting'),
      'api-chats': make('api-chats'),
      'api-files': make('api-files'),
      'api-jobs': make('api-jobs'),
      'api-webhooks': make('api-webhooks'),
      'api-keys': make('api-keys'),
      'api-server': make('api-server'),
      'api-docs': make('api-docs'),
      authorizer: make('authorizer'),
      'event-projector': make('event-projector'),
      'stream-connections': make('stream-connections'),
      'stream-fanout': make('stream-fanout'),
      'stream-sender': make('stream-sender'),
      reconciler: make('reconciler'),
      capacity: make('capacity'),
      'webhook-fanout': make('webhook-fanout'),
      'webhook-dispatcher': make('webhook-dispatcher'),
      'administrator-key': make('administrator-key'),
    };
    this.#connectQueues(installation, messaging, data);
    this.#connectSchedules(installation);
    this.#makeAdministratorKey();
  }

  functionNamed(name: string): LambdaFunction {
    const found = Object.entries(this.functions).find(([known]) => known === name)?.[1];
    if (found === undefined) throw new Error(`There is no function ${name}`);
    return found;
  }

  #allow(role: Role, name: FunctionName, { data, installation }: FunctionsStackProps): void {
    const {
      tables,
      shardQueues = [],
      queues = [],
      deadLetters = [],
      secrets = [],
      events,
      hostCount,
      media,
    }: FunctionRights = FUNCTION_RIGHTS[name];
    const bucket = installation.names.buckets.media;
    allowTables(role, data, installation, tables);
    if (shardQueues.length > 0) {
      const send = ['GetQueueUrl', 'SendMessage'];
      const actions = shardQueues.includes('depth') ? [...send, 'GetQueueAttributes'] : send;
      allowShardQueues(role, installation, 'socket', actions);
    }
    if (queues.length > 0) allowQueues(role, installation, queues, ['GetQueueUrl', 'SendMessage']);
    if (deadLetters.length > 0)
      allowQueues(role, installation, deadLetters, ['GetQueueUrl', 'ReceiveMessage', 'DeleteMessage']);
    if (events) allowEvents(role, installation, CONTROL_SOURCE);
    if (hostCount) allowHostCount(role, installation);
    if (media !== undefined) allowObjects(role, bucket, media.prefixes, media.actions);
    if (media?.list) allowListing(role, bucket);
    if (secrets.length > 0) {
      const resources = secrets.map((secret) => data[secret].secretArn);
      role.addToPolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources }));
    }
    allowKeyVia(role, data.dataKey, {
      dynamodb: keyUseOf(tables),
      s3: media && (media.actions.includes('PutObject') ? 'write' : 'read'),
      sqs: queues.length > 0 ? 'write' : undefined,
      secretsmanager: secrets.length > 0 ? 'read' : undefined,
    });
  }

  roleNamed(name: string): Role {
    const role = this.#roles.get(name);
    if (role === undefined) throw new Error(`There is no function ${name}`);
    return role;
  }

  #connectQueues({ resources }: Installation, messaging: MessagingStack, data: DataStack): void {
    for (const { queue: queueName, function: name, batchSize, concurrency } of resources.eventSources) {
      const queue = messaging.queueNamed(queueName);
      const target = this.functionNamed(name);
      const role = this.roleNamed(name);
      role.addToPolicy(
        new PolicyStatement({
          actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
          resources: [queue.queueArn],
        }),
      );
      allowKeyVia(role, data.dataKey, { sqs: 'read' });
      new EventSourceMapping(this, `${name}-queue`, {
        target,
        eventSourceArn: queue.queueArn,
        batchSize,
        maxConcurrency: concurrency,
        reportBatchItemFailures: true,
      });
    }
  }

  #connectSchedules({ resources }: Installation): void {
    for (const { name, function: target, everySeconds } of resources.schedules) {
      new Rule(this, `${target}-schedule`, {
        ruleName: name,
        schedule: Schedule.rate(Duration.seconds(everySeconds)),
        // The next call comes anyway.
        targets: [
          new FunctionTarget(this.functionNamed(target), { retryAttempts: 0, maxEventAge: Duration.minutes(1) }),
        ],
      });
      this.functionNamed(target).configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    }
  }

  /** The row of the administrator's key is there when the deployment ends. */
  #makeAdministratorKey(): void {
    const handler = this.functions['administrator-key'];
    new Trigger(this, 'MakeAdministratorKey', { handler, timeout: Duration.minutes(1) });
  }
}

function environmentOf(name: FunctionName, { installation, data }: FunctionsStackProps): Record<string, string> {
  const { settings, cluster, pools } = installation;
  const api = {
    SHARD_COUNT: String(settings.shards),
    AUDIT_DAYS: String(settings.auditDays),
    ...(settings.domainName !== undefined && { PUBLIC_URL: `https://${settings.domainName}` }),
  };
  // Where the pepper is, never the pepper: whoever may read a function's configuration must not learn it.
  const pepper = { KEY_PEPPER_SECRET: data.keyPepper.secretArn };
  const logging = {
    LOG_LEVEL: settings.logLevel,
    // A reference that CloudFormation resolves: the value is in no template.
    LOG_HASH_KEY: data.logHashKey.secretValue.unsafeUnwrap(),
  };
  const ofApi = { ...logging, ...api };
  switch (name) {
    case 'authorizer':
      return { ...pepper, USAGE_PLANS: Object.keys(settings.usagePlans).join(','), LOG_LEVEL: settings.logLevel };
    case 'administrator-key':
      return { ...pepper, ADMINISTRATOR_KEY_SECRET: data.administratorKey.secretArn, AUDIT_DAYS: api.AUDIT_DAYS };
    case 'api-keys':
      return { ...ofApi, ...pepper };
    case 'stream-connections':
      return { ...logging, ...pepper };
    case 'event-projector':
    case 'stream-fanout':
    case 'stream-sender':
      return logging;
    case 'reconciler':
      return { ...logging, SHARD_COUNT: String(settings.shards), METRICS: 'emf' };
    case 'webhook-fanout':
      return { ...logging, ...globalWebhookOf(settings, data) };
    case 'webhook-dispatcher':
      return { ...logging, ...globalWebhookOf(settings, data), ...privateHostsOf(settings), METRICS: 'emf' };
    case 'api-sessions':
    case 'api-webhooks':
      return { ...ofApi, ...globalWebhookOf(settings, data), ...privateHostsOf(settings) };
    case 'capacity':
      return {
        ...logging,
        ECS_CLUSTER: cluster,
        ...Object.assign({}, ...pools.map(capacityOf)),
        WARM_SPARES: String(settings.warmSpares),
        SCALE_IN_MINUTES: String(settings.scaleInMinutes),
        METRICS: 'emf',
      };
    default:
      return ofApi;
  }
}

/** What the capacity function has to know of a pool. */
function capacityOf({ name, service, shards, unitsPerHost, maxHosts }: HostPool): Record<string, string> {
  if (name === 'socket')
    return {
      ECS_SOCKET_SERVICE: service,
      SHARD_COUNT: String(shards),
      SOCKET_UNITS_PER_HOST: String(unitsPerHost),
      MAX_HOSTS: String(maxHosts),
    };
  return {
    ECS_BROWSER_SERVICE: service,
    BROWSER_SHARD_COUNT: String(shards),
    BROWSER_UNITS_PER_HOST: String(unitsPerHost),
    MAX_BROWSER_HOSTS: String(maxHosts),
  };
}

function privateHostsOf({ webhookPrivateHosts }: Settings): Record<string, string> {
  return webhookPrivateHosts === undefined ? {} : { WEBHOOK_ALLOW_PRIVATE_HOSTS: webhookPrivateHosts };
}

/** The installation's own webhook, for everybody who has to know that there is one. */
function globalWebhookOf(settings: Settings, { webhookHmacKey }: DataStack): Record<string, string> {
  if (settings.webhookUrl === undefined || webhookHmacKey === undefined) return {};
  const { webhookRetriesPolicy, webhookRetriesDelaySeconds, webhookRetriesAttempts, webhookCustomHeaders } = settings;
  return {
    WHATSAPP_HOOK_URL: settings.webhookUrl,
    WHATSAPP_HOOK_EVENTS: settings.webhookEvents,
    // A reference that CloudFormation resolves, as above.
    WHATSAPP_HOOK_HMAC_KEY: webhookHmacKey.secretValue.unsafeUnwrap(),
    ...(webhookRetriesPolicy !== undefined && { WHATSAPP_HOOK_RETRIES_POLICY: webhookRetriesPolicy }),
    ...(webhookRetriesDelaySeconds !== undefined && {
      WHATSAPP_HOOK_RETRIES_DELAY_SECONDS: String(webhookRetriesDelaySeconds),
    }),
    ...(webhookRetriesAttempts !== undefined && { WHATSAPP_HOOK_RETRIES_ATTEMPTS: String(webhookRetriesAttempts) }),
    ...(webhookCustomHeaders !== undefined && { WHATSAPP_HOOK_CUSTOM_HEADERS: webhookCustomHeaders }),
  };
}
