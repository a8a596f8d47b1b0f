import * as z from 'zod';
import { type ImageAddress, parseImageAddress } from './image-address.ts';

/** Days that CloudWatch Logs can keep a log. */
const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 180, 365] as const;
/** Memory in MiB that Fargate has for each number of CPU units (1,024 are one vCPU). */
const FARGATE_SIZES: Readonly<Record<number, readonly number[]>> = {
  256: [512, 1024, 2048],
  512: [1024, 2048, 3072, 4096],
  1024: [2048, 3072, 4096, 5120, 6144, 7168, 8192],
  2048: [4096, 5120, 6144, 7168, 8192, 12_288, 16_384],
  4096: [8192, 12_288, 16_384, 24_576, 30_720],
};

/** On the command line (`-c name=value`) everything is text. */
const flag = z.union([z.boolean(), z.stringbool()]);
const integer = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const logDays = z.coerce.number().refine((days) => LOG_DAYS.some((known) => known === days), {
  error: `must be one of ${LOG_DAYS.join(', ')}`,
});

const imageAddress = z.string().transform((text, context): ImageAddress => {
  const address = parseImageAddress(text);
  if (address !== undefined) return address;
  context.addIssue({
    code: 'custom',
    message:
      'must be [registry/]repository[:tag|@sha256:digest], in ECR <account>.dkr.ecr.<region>.amazonaws.com/repository…',
  });
  return z.NEVER;
});

const usagePlan = z.strictObject({
  /** Requests a second, on average. */
  rate: integer(1, 10_000),
  /** Requests at once. */
  burst: integer(1, 5_000),
  /** Requests a month. @default no limit */
  monthly: integer(1, 1_000_000_000).optional(),
});

/**
 * Everything that can differ between two installations. Each is a context value: `-c shards=128` replaces the one of the
 * stage. What each costs: `infra/README.md`.
 */
export const settingsSchema = z
  .strictObject({
    /** Part of every name; two stages of one account never touch each other's resources. */
    stage: z.string().regex(/^[a-z][a-z0-9]{1,11}$/, { error: 'must be 2 to 12 small letters and digits' }),
    /** Kinds of hosts. */
    pools: z.enum(['socket', 'socket,browser']),
    /** Shards of the socket pool. Cannot be lowered once there are sessions. */
    shards: integer(1, 4096),
    /** Delete protection, and what holds data stays when its stack is deleted. */
    keepData: flag,
    /**
     * KMS key under which the auth state of another installation is encrypted, in the same account and region. One that is restored from it has
     * this key and makes none of its own: it can read that state, and everything new is under the same key. @default a key of its own
     */
    stateKeyArn: z
      .string()
      .regex(/^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-z-]+$/, {
        error: 'must be the ARN of a KMS key, not of an alias',
      })
      .optional(),

    /** Where hosts run: `public` subnets without inbound rules, or `private` ones behind NAT. */
    network: z.enum(['public', 'private']),
    /** NAT gateways of a private network. */
    natGateways: integer(1, 2),
    /** Endpoints in a private network for what hosts call besides DynamoDB and S3. */
    interfaceEndpoints: flag,
    /** CPU units of a host, 1,024 to a vCPU. */
    hostCpu: z.coerce.number(),
    hostMemoryMiB: z.coerce.number(),
    /** NOWEB sessions for which one host is wanted. */
    sessionsPerHost: integer(1, 10_000),
    /** Hosts beyond those that the sessions take, while any runs. */
    warmSpares: integer(0, 100),
    /** Hosts that are never exceeded. With 0 there are none: another installation goes on with the sessions. */
    maxHosts: integer(0, 1_000),
    /** For how long hosts stay that are no longer needed. */
    scaleInMinutes: integer(5, 1_440),
    /** An image to run, by its address. @default built from this clone */
    hostImage: imageAddress.optional(),
    /** The same of the browser pool, where there is one: its shards, its hosts, and WEBJS sessions for which one is wanted. */
    browserShards: integer(1, 4096),
    browserHostCpu: z.coerce.number(),
    browserHostMemoryMiB: z.coerce.number(),
    browserSessionsPerHost: integer(1, 1_000),
    maxBrowserHosts: integer(0, 1_000),
    browserHostImage: imageAddress.optional(),

    /** The same API for requests signed with AWS credentials. */
    iamApi: flag,
    /** Seconds for which the authorizer's answer is reused. From 1 on keys in the query are refused. A revoked key works so much longer, and may for less than 5 seconds. */
    authorizerCacheSeconds: integer(0, 4),
    /** Event streams (WebSocket) for callers with a key. */
    eventStream: flag,
    /** Requests a second that each API takes in all, and at once. */
    throttleRate: integer(1, 10_000),
    throttleBurst: integer(1, 5_000),
    /** The first is for keys that name none. */
    usagePlans: z
      .record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/), usagePlan)
      .refine((all) => Object.keys(all).length > 0, {
        error: 'must have a plan',
      }),
    /** A firewall in front of the APIs. */
    waf: flag,
    /**
     * Requests of one address within five minutes, from which on the firewall refuses it, whichever API they are for. @default what all usage
     * plans let through in that time, and 3,000 at least
     */
    wafRequestsPerAddress: integer(10, 20_000_000).optional(),
    /** Own host name of the API, with the ARN of its certificate (in the same region) and its Route 53 zone. */
    domainName: z.string().min(4).optional(),
    certificateArn: z.string().startsWith('arn:').optional(),
    hostedZoneId: z.string().optional(),
    hostedZoneName: z.string().optional(),

    /** How long events can be replayed from the bus's archive. */
    archiveDays: integer(1, 3650),
    /**
     * For how long webhooks and event streams can go back; large events lie with the media. Deliveries are tried for three days, and
     * what is tried must be there.
     */
    eventLogDays: integer(4, 365),
    /** How long media and large events are kept. */
    mediaDays: integer(1, 3650),
    logDays,
    /** How long the audit log of keys and sessions is kept. */
    auditDays: integer(1, 3650),
    /** Who is told of alarms. @default nobody */
    alarmEmail: z.email().optional(),
    /** A webhook that every session has besides its own. The key of its HMAC is a secret that Secrets Manager makes. @default none */
    webhookUrl: z.url({ protocol: /^https?$/ }).optional(),
    /** Names of events, separated by commas. */
    webhookEvents: z.string().min(1),
    /** WAHA's retries; without any the default over 72 hours. */
    webhookRetriesPolicy: z.enum(['constant', 'linear', 'exponential']).optional(),
    webhookRetriesDelaySeconds: integer(0, 86_400).optional(),
    webhookRetriesAttempts: integer(0, 100).optional(),
    /** `name:value`, separated by semicolons. */
    webhookCustomHeaders: z.string().optional(),
    /** Hosts that webhooks may go to although they are private, separated by commas. @default none */
    webhookPrivateHosts: z.string().optional(),
    logLevel: z.enum(['error', 'warn', 'info', 'debug']),
    /** For sessions that name no pacing profile. */
    pacingProfile: z.enum(['safe', 'warm', 'trusted', 'off']),
  })
  .superRefine((settings, context) => {
    const fail = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    for (const [cpu, memory] of [
      ['hostCpu', 'hostMemoryMiB'],
      ['browserHostCpu', 'browserHostMemoryMiB'],
    ] as const) {
      const sizes = FARGATE_SIZES[settings[cpu]];
      if (sizes === undefined) fail(cpu, `must be one of ${Object.keys(FARGATE_SIZES).join(', ')}`);
      else if (!sizes.includes(settings[memory])) fail(memory, `must be one of ${sizes.join(', ')}`);
    }
    if (settings.eventLogDays > settings.mediaDays) fail('eventLogDays', 'must not be more than mediaDays');
    if ((settings.domainName === undefined) !== (settings.certificateArn === undefined))
      fail('domainName', 'goes with certificateArn');
    if ((settings.hostedZoneId === undefined) !== (settings.hostedZoneName === undefined))
      fail('hostedZoneId', 'goes with hostedZoneName');
    if (settings.hostedZoneId !== undefined && settings.domainName === undefined)
      fail('hostedZoneId', 'goes with domainName');
  });

export type Settings = z.infer<typeof settingsSchema>;

/** A setting is unknown, missing or wrong; the message names it. */
export class SettingsError extends Error {}
