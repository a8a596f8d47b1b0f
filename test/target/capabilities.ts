/** The clouds that the integration tests run against. */
export const TARGETS = ['embedded', 'ministack', 'localstack', 'aws'] as const;
export type TargetName = (typeof TARGETS)[number];

/** What some tests need of a cloud, and not every cloud has. The product stands on none but the last. */
export type Capability =
  /** SQS FIFO: one receive gives several messages of a group. */
  | 'fifoBatchOfGroup'
  /** SQS FIFO: a deduplication id counts within its group. */
  | 'deduplicationPerGroup'
  /** SQS: StartMessageMoveTask brings dead letters back. */
  | 'redrive'
  /** S3: a presigned URL ends. */
  | 'expiredUrls'
  /** S3: what was overwritten is still there. */
  | 'objectVersions'
  /** DynamoDB: UpdateTimeToLive. */
  | 'timeToLive'
  /** DynamoDB: UpdateContinuousBackups and a restore to a point in time. */
  | 'pointInTimeRecovery'
  /** A request signed with a wrong secret is refused. */
  | 'signatures'
  /** EventBridge: hears of the end of a host that is a process of this machine as of a task's. */
  | 'taskEvents'
  /** CloudFormation takes the stacks of `infra/`. */
  | 'stacks';

export type Verdict = 'yes' | { readonly no: string };

/** Nobody can tell it of another: events in the name of AWS are AWS's own. */
const OWN_TASKS_ONLY: Verdict = { no: 'it tells of its own tasks; the hosts are processes of this machine' };

/**
 * What each can do. Tests hold `embedded` and whatever else they are run against to it, in both directions: see
 * `itNeeds`. LocalStack and AWS are as their documentation says; localstack/README.md tells what was run.
 */
export const CAPABILITIES: Readonly<Record<TargetName, Readonly<Record<Capability, Verdict>>>> = {
  embedded: {
    fifoBatchOfGroup: { no: 'fauxqs gives one message of a group at a time' },
    deduplicationPerGroup: { no: 'fauxqs deduplicates in the whole queue' },
    redrive: { no: 'fauxqs has no StartMessageMoveTask' },
    expiredUrls: 'yes',
    objectVersions: { no: 'fauxqs keeps one version; the guard in front of it answers 501' },
    timeToLive: { no: 'dynalite has no UpdateTimeToLive' },
    pointInTimeRecovery: { no: 'dynalite has no backups' },
    signatures: { no: 'it listens on loopback only and takes every caller' },
    taskEvents: 'yes',
    stacks: { no: 'it takes no stacks; its resources are made from the same definition' },
  },
  ministack: {
    fifoBatchOfGroup: 'yes',
    deduplicationPerGroup: 'yes',
    redrive: { no: 'MiniStack has no StartMessageMoveTask' },
    expiredUrls: 'yes',
    objectVersions: 'yes',
    timeToLive: 'yes',
    pointInTimeRecovery: 'yes',
    signatures: { no: 'MiniStack looks at signatures with AUTH=true only' },
    taskEvents: OWN_TASKS_ONLY,
    stacks: 'yes',
  },
  localstack: {
    fifoBatchOfGroup: 'yes',
    deduplicationPerGroup: 'yes',
    redrive: 'yes',
    expiredUrls: 'yes',
    objectVersions: 'yes',
    timeToLive: 'yes',
    pointInTimeRecovery: 'yes',
    signatures: { no: 'LocalStack takes every caller unless IAM is enforced' },
    taskEvents: OWN_TASKS_ONLY,
    stacks: 'yes',
  },
  aws: {
    fifoBatchOfGroup: 'yes',
    deduplicationPerGroup: 'yes',
    redrive: 'yes',
    expiredUrls: 'yes',
    objectVersions: 'yes',
    timeToLive: 'yes',
    pointInTimeRecovery: 'yes',
    signatures: 'yes',
    taskEvents: OWN_TASKS_ONLY,
    stacks: 'yes',
  },
};
