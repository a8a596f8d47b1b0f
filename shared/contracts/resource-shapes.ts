export interface KeyDefinition {
  readonly name: string;
  readonly type: 'S' | 'N';
}

export interface IndexDefinition {
  readonly name: string;
  readonly partitionKey: KeyDefinition;
  readonly sortKey?: KeyDefinition;
  /** The only attributes it carries besides the keys. @default all */
  readonly attributes?: readonly string[];
  /**
   * Lies within the table's own partitions, so that reads of it can be strongly consistent. It has the table's partition
   * key, is there from the table's beginning, and bounds a partition to 10 GB.
   */
  readonly local?: true;
}

export interface TableDefinition {
  readonly name: string;
  readonly partitionKey: KeyDefinition;
  readonly sortKey?: KeyDefinition;
  readonly indexes?: readonly IndexDefinition[];
  /** Attribute with the expiry in epoch seconds. Expiry only tidies up; nothing is correct because of it. */
  readonly ttlAttribute?: string;
}

export interface QueueDefinition {
  /** FIFO names end in `.fifo`. */
  readonly name: string;
  readonly fifo: boolean;
  readonly visibilityTimeoutSeconds: number;
  readonly deadLetterQueue?: string;
  readonly maxReceiveCount?: number;
}

export interface BucketDefinition {
  readonly name: string;
}

export interface RuleDefinition {
  readonly name: string;
  /** `default` is the account's own bus, where the services of AWS tell what happens. @default the platform's bus */
  readonly bus?: 'default';
  /** EventBridge event pattern. */
  readonly pattern: unknown;
  readonly targets: readonly {
    readonly id: string;
    readonly queue?: string;
    readonly function?: string;
    readonly deadLetterQueue?: string;
  }[];
}

export interface EventSourceDefinition {
  readonly queue: string;
  readonly function: string;
  readonly batchSize: number;
  /**
   * Invocations at the same time, 2 to 1,000 for both kinds of queues. Each has a bound: a standard queue would otherwise get as
   * many as the account has, a FIFO queue as many as it has groups, and a burst would take them from the API and its authorizer.
   * What is above it waits in the queue, and is not received in vain, which would count towards `maxReceiveCount`.
   */
  readonly concurrency: number;
}

/** A function that is called at a fixed rate: a schedule of EventBridge in AWS. */
export interface ScheduleDefinition {
  readonly name: string;
  readonly function: string;
  readonly everySeconds: number;
}

export interface ResourceDefinition {
  readonly tables: readonly TableDefinition[];
  readonly queues: readonly QueueDefinition[];
  readonly buckets: readonly BucketDefinition[];
  readonly bus: { readonly name: string };
  readonly rules: readonly RuleDefinition[];
  readonly eventSources: readonly EventSourceDefinition[];
  readonly schedules: readonly ScheduleDefinition[];
}
