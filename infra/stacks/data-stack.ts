import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CorsRule,
  HttpMethods,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { API_HEADERS, EXPOSED_HEADERS } from '#shared/contracts/api/routes.ts';
import type { ResourceDefinition } from '#shared/contracts/resource-shapes.ts';
import type { BucketId, TableId } from '#shared/contracts/resources.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { PREFLIGHT_SECONDS } from '../constructs/api-definition.ts';
import { definedTable } from '../constructs/table.ts';
import type { Installation } from '../installation.ts';

/**
 * Auth state and the keys it is encrypted under: for hosts only. What a deleted session leaves in backups becomes unreadable
 * with the last backup of its keys, and state of a week ago is of no use: its ratchets have moved on.
 */
const STATE_TABLES: readonly TableId[] = ['journal', 'dataKeys'];
const STATE_RECOVERY_DAYS = 7;
const RECOVERY_DAYS = 35;
const NONCURRENT_DAYS = 7;
const ACCESS_LOG_DAYS = 90;

/**
 * The API sends pages of any origin here. Browsers ask again before they follow, with every header that the API was sent. What
 * opens an object is its presigned address, whoever has it.
 */
const READ_BY_PAGES: CorsRule = {
  allowedMethods: [HttpMethods.GET, HttpMethods.HEAD],
  allowedOrigins: ['*'],
  allowedHeaders: [...API_HEADERS],
  exposedHeaders: [...EXPOSED_HEADERS],
  maxAge: PREFLIGHT_SECONDS,
};

export interface DataStackProps extends StackProps {
  readonly installation: Installation;
}

/** Keys, tables, buckets and secrets: what must outlive everything else. */
export class DataStack extends Stack {
  /** Encrypts auth state; only hosts may use it. */
  readonly stateKey: IKey;
  /** Encrypts everything else. */
  readonly dataKey: Key;
  readonly tables: Readonly<Record<TableId, Table>>;
  readonly buckets: Readonly<Record<BucketId, Bucket>>;
  readonly administratorKey: Secret;
  readonly keyPepper: Secret;
  readonly logHashKey: Secret;
  /** Of the installation's own webhook, where there is one. */
  readonly webhookHmacKey: Secret | undefined;
  readonly #keep: boolean;
  readonly #prefix: string;

  constructor(scope: Construct, id: string, { installation, ...props }: DataStackProps) {
    super(scope, id, props);
    const { names, settings, resources } = installation;
    this.#keep = settings.keepData;
    this.#prefix = names.prefix;
    this.stateKey =
      settings.stateKeyArn === undefined
        ? this.#key('StateKey', 'state', `Auth state of ${names.prefix}`)
        : Key.fromKeyArn(this, 'StateKey', settings.stateKeyArn);
    new CfnOutput(this, 'StateKeyArn', {
      value: this.stateKey.keyArn,
      description: 'Key of auth state; an installation that is restored from this one needs it',
    });
    this.dataKey = this.#key('DataKey', 'data', `Data of ${names.prefix}`);
    // Rules write to encrypted queues, alarms to an encrypted topic.
    this.dataKey.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com'), new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    this.tables = this.#tables(resources, names.tables);
    this.buckets = this.#buckets(names.buckets, settings.mediaDays);
    this.administratorKey = this.#secret('AdministratorKey', 'administrator-key', {
      description: 'API key of the administrator',
      notRotated:
        'Whoever uses it would be locked out at a time of nobody’s choice. The runbook says how to change it by hand.',
    });
    new CfnOutput(this, 'AdministratorKeySecret', {
      value: this.administratorKey.secretArn,
      description: 'Secret with the administrator’s key',
    });
    this.webhookHmacKey =
      settings.webhookUrl === undefined
        ? undefined
        : this.#secret('WebhookHmacKey', 'webhook-hmac-key', {
            description: 'Key of the HMAC of the installation’s own webhook',
            notRotated:
              'The receiver has it too, and would refuse everything from the rotation until somebody tells it the new one.',
          });
    this.keyPepper = this.#secret('KeyPepper', 'key-pepper', {
      description: 'Under which API keys are hashed',
      notRotated: 'No API key works under another one: they would all have to be made anew.',
    });
    this.logHashKey = this.#secret('LogHashKey', 'log-hash-key', {
      description: 'Key of the tags that stand for ids in logs',
      notRotated:
        'One id would have another tag from then on: in hosts as they start, in functions with the next deployment. It opens nothing.',
    });
  }

  #removal(): RemovalPolicy {
    return this.#keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
  }

  #key(id: string, alias: string, description: string): Key {
    return new Key(this, id, {
      alias: `${this.#prefix}/${alias}`,
      description,
      enableKeyRotation: true,
      pendingWindow: Duration.days(this.#keep ? 30 : 7),
      removalPolicy: this.#removal(),
    });
  }

  #tables(resources: ResourceDefinition, names: Readonly<Record<TableId, string>>): Record<TableId, Table> {
    const make = (id: TableId): Table => {
      const definition = resources.tables.find(({ name }) => name === names[id]);
      if (definition === undefined) throw new Error(`The contracts have no table ${names[id]}`);
      const isState = STATE_TABLES.includes(id);
      return definedTable(this, `${id}Table`, definition, {
        encryptionKey: isState ? this.stateKey : this.dataKey,
        recoveryDays: isState ? STATE_RECOVERY_DAYS : RECOVERY_DAYS,
        keep: this.#keep,
      });
    };
    return {
      sessions: make('sessions'),
      jobs: make('jobs'),
      hosts: make('hosts'),
      shards: make('shards'),
      fleets: make('fleets'),
      messages: make('messages'),
      chats: make('chats'),
      apiKeys: make('apiKeys'),
      audit: make('audit'),
      journal: make('journal'),
      dataKeys: make('dataKeys'),
      eventLog: make('eventLog'),
      streams: make('streams'),
      webhookEndpoints: make('webhookEndpoints'),
      webhookDeliveries: make('webhookDeliveries'),
    };
  }

  #buckets(names: Readonly<Record<BucketId, string>>, mediaDays: number): Record<BucketId, Bucket> {
    const common = {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: this.#removal(),
      autoDeleteObjects: !this.#keep,
    };
    const accessLogs = new Bucket(this, 'AccessLogs', {
      ...common,
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(ACCESS_LOG_DAYS) }],
    });
    acknowledge(accessLogs, { S1: 'It is the bucket that access logs are written to.' });
    const bucket = (id: BucketId, key: IKey, current?: Duration, cors?: CorsRule[]): Bucket =>
      new Bucket(this, `${id}Bucket`, {
        ...common,
        bucketName: names[id],
        ...(cors !== undefined && { cors }),
        versioned: true,
        encryption: BucketEncryption.KMS,
        encryptionKey: key,
        bucketKeyEnabled: true,
        serverAccessLogsBucket: accessLogs,
        serverAccessLogsPrefix: `${id}/`,
        lifecycleRules: [
          {
            abortIncompleteMultipartUploadAfter: Duration.days(1),
            noncurrentVersionExpiration: Duration.days(NONCURRENT_DAYS),
            // An expiry takes markers without versions along; without one they would stay for ever.
            ...(current === undefined ? { expiredObjectDeleteMarker: true } : { expiration: current }),
          },
        ],
      });
    return {
      state: bucket('state', this.stateKey),
      media: bucket('media', this.dataKey, Duration.days(mediaDays), [READ_BY_PAGES]),
    };
  }

  /** Its value is made by Secrets Manager and is in no template. */
  #secret(
    id: string,
    name: string,
    { description, notRotated }: { readonly description: string; readonly notRotated: string },
  ): Secret {
    const secret = new Secret(this, id, {
      secretName: `${this.#prefix}/${name}`,
      description,
      encryptionKey: this.dataKey,
      generateSecretString: { passwordLength: 40, excludePunctuation: true },
      removalPolicy: this.#removal(),
    });
    acknowledge(secret, { SMG4: notRotated });
    return secret;
  }
}
