import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { mediaHostsEnv } from '#shared/contracts/media-hosts.ts';
import { publicUrlSchema } from '#shared/contracts/public-url.ts';
import { POOLS, type Pool, type ResourceNames, resourceNames, resourceNamesEnv } from '#shared/contracts/resources.ts';
import { ENGINES, type EngineName } from '#shared/contracts/session.ts';
import { PACING_PROFILES, type PacingProfile } from '#shared/domain/pacing-profiles.ts';
import { ConfigError } from './config-error.ts';
import { DEFAULT_TIMINGS, type HostTimings, hostTimings } from './timings.ts';

export interface HostConfig {
  readonly hostId: string;
  readonly names: ResourceNames;
  /** Address of the HTTP API, for links in events. */
  readonly publicUrl: string;
  readonly pool: Pool;
  /** Path of the program that the browser pool's engines start; undefined in the other pool. */
  readonly browserExecutable: string | undefined;
  readonly shardCount: number;
  readonly engines: readonly EngineName[];
  readonly whatsappUrl: string;
  /** Public key behind the certificates of the server at `whatsappUrl`, base64; undefined: WhatsApp's. */
  readonly whatsappRootKey: string | undefined;
  /** `off` lets NOWEB send before its state is durable: for showing what a crash then loses, never for operation. */
  readonly nowebGate: 'durable' | 'off';
  /** Hosts from which media may be fetched although their addresses are private. */
  readonly mediaAllowPrivateHosts: readonly string[];
  /** What received media has to get from WhatsApp into the bucket, and how large it may be. */
  readonly receivedMedia: { readonly timeoutMs: number; readonly maxBytes: number };
  /** File that is written again at every beat, for whoever watches the process; undefined: none. */
  readonly pulseFile: string | undefined;
  /** Under what session state is encrypted: a key of KMS, or a file with a master key (32 bytes in base64). */
  readonly stateKey:
    | { readonly kind: 'kms'; readonly keyId: string }
    | { readonly kind: 'file'; readonly path: string };
  /** For S3 on one address, as local clouds have it. */
  readonly s3PathStyle: boolean;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** Key of the hashes that stand for ids in logs; undefined: a random one. */
  readonly logHashKey: string | undefined;
  /** The ECS agent's endpoint for this task; undefined: it is no ECS task. */
  readonly ecsAgentUri: string | undefined;
  /** Jobs that may be under way at once. */
  readonly jobsInFlight: number;
  /** Sessions that may be restored at once. */
  readonly startParallelism: number;
  /** Connections that this host may open in a second, and all hosts together. */
  readonly connectsPerSecond: { readonly host: number; readonly fleet: number };
  /** For sessions whose configuration names no profile. */
  readonly pacingProfile: PacingProfile;
  /** Where ECS tells which task this is; undefined outside of ECS. */
  readonly taskMetadata: string | undefined;
  /** For how long the event log keeps an event. */
  readonly eventLogDays: number;
  readonly metrics: 'emf' | 'off';
  readonly timings: HostTimings;
}

const milliseconds = (standard: number) => z.coerce.number().int().positive().default(standard);
const words = (text: string) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

const environmentSchema = z.object({
  ...resourceNamesEnv,
  PUBLIC_URL: publicUrlSchema,
  HOST_ID: z.string().min(1).max(128).optional(),
  POOL: z.enum(POOLS).default('socket'),
  BROWSER_EXECUTABLE: z.string().min(1).optional(),
  SHARD_COUNT: z.coerce.number().int().min(1).max(4096).default(8),
  ENGINES: z
    .string()
    .default('NOWEB')
    .transform(words)
    .pipe(z.array(z.enum(ENGINES)).min(1)),
  WHATSAPP_WS_URL: z.url({ protocol: /^wss?$/ }).default('wss://web.whatsapp.com/ws/chat'),
  WHATSAPP_ROOT_KEY: z.base64().length(44).optional(),
  NOWEB_GATE: z.enum(['durable', 'off']).default('durable'),
  ...mediaHostsEnv,
  MEDIA_TIMEOUT_MS: milliseconds(30_000),
  MEDIA_MAX_BYTES: z.coerce.number().int().positive().default(67_108_864),
  STATE_KMS_KEY_ID: z.string().min(1).optional(),
  STATE_KEY_FILE: z.string().min(1).optional(),
  PULSE_FILE: z.string().min(1).optional(),
  S3_PATH_STYLE: z.stringbool().default(false),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  LOG_HASH_KEY: z.string().min(1).optional(),
  ECS_AGENT_URI: z.url().optional(),
  JOBS_IN_FLIGHT: z.coerce.number().int().min(1).default(200),
  START_PARALLELISM: z.coerce.number().int().min(1).default(16),
  CONNECTS_PER_SECOND: z.coerce.number().positive().default(50),
  FLEET_CONNECTS_PER_SECOND: z.coerce.number().positive().default(300),
  PACING_DEFAULT_PROFILE: z.enum(PACING_PROFILES).default('safe'),
  ECS_CONTAINER_METADATA_URI_V4: z.url({ protocol: /^https?$/ }).optional(),
  EVENT_LOG_DAYS: z.coerce.number().int().min(4).max(365).default(14),
  METRICS: z.enum(['emf', 'off']).default('off'),
  HEARTBEAT_MS: milliseconds(DEFAULT_TIMINGS.heartbeat),
  SUSPEND_AFTER_MS: milliseconds(DEFAULT_TIMINGS.suspendAfter),
  DEAD_AFTER_MS: milliseconds(DEFAULT_TIMINGS.deadAfter),
  STALL_AFTER_MS: milliseconds(DEFAULT_TIMINGS.stallAfter),
  OBSERVE_MS: milliseconds(DEFAULT_TIMINGS.observe),
  CHECKPOINT_INTERVAL_MS: milliseconds(DEFAULT_TIMINGS.checkpointInterval),
  DRAIN_MS: milliseconds(DEFAULT_TIMINGS.drain),
  JOB_DRAIN_MS: milliseconds(DEFAULT_TIMINGS.jobDrain),
  SCAN_MS: milliseconds(DEFAULT_TIMINGS.scan),
});

/** @throws ConfigError */
export function readHostConfig(environment: Readonly<Record<string, string | undefined>>): HostConfig {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`Environment is not usable. ${issues.join('; ')}`);
  }
  const env = parsed.data;
  const timings = hostTimings({
    heartbeat: env.HEARTBEAT_MS,
    suspendAfter: env.SUSPEND_AFTER_MS,
    deadAfter: env.DEAD_AFTER_MS,
    stallAfter: env.STALL_AFTER_MS,
    observe: env.OBSERVE_MS,
    checkpointInterval: env.CHECKPOINT_INTERVAL_MS,
    drain: env.DRAIN_MS,
    jobDrain: env.JOB_DRAIN_MS,
    scan: env.SCAN_MS,
  });
  return {
    hostId: env.HOST_ID ?? `host-${randomUUID().slice(0, 8)}`,
    names: resourceNames(env),
    publicUrl: env.PUBLIC_URL,
    pool: env.POOL,
    browserExecutable: env.POOL === 'browser' ? browserExecutable(env) : undefined,
    shardCount: env.SHARD_COUNT,
    engines: env.ENGINES,
    whatsappUrl: env.WHATSAPP_WS_URL,
    whatsappRootKey: env.WHATSAPP_ROOT_KEY,
    nowebGate: env.NOWEB_GATE,
    mediaAllowPrivateHosts: env.MEDIA_ALLOW_PRIVATE_HOSTS,
    receivedMedia: { timeoutMs: env.MEDIA_TIMEOUT_MS, maxBytes: env.MEDIA_MAX_BYTES },
    stateKey: stateKey(env),
    pulseFile: env.PULSE_FILE,
    s3PathStyle: env.S3_PATH_STYLE,
    logLevel: env.LOG_LEVEL,
    logHashKey: env.LOG_HASH_KEY,
    ecsAgentUri: env.ECS_AGENT_URI,
    jobsInFlight: env.JOBS_IN_FLIGHT,
    startParallelism: env.START_PARALLELISM,
    connectsPerSecond: { host: env.CONNECTS_PER_SECOND, fleet: env.FLEET_CONNECTS_PER_SECOND },
    pacingProfile: env.PACING_DEFAULT_PROFILE,
    taskMetadata: env.ECS_CONTAINER_METADATA_URI_V4,
    eventLogDays: env.EVENT_LOG_DAYS,
    metrics: env.METRICS,
    timings,
  };
}

function browserExecutable({ BROWSER_EXECUTABLE: path }: z.infer<typeof environmentSchema>): string {
  if (path !== undefined) return path;
  throw new ConfigError(
    'Hosts of the pool browser start browsers. BROWSER_EXECUTABLE must be set: the path of Chromium',
  );
}

function stateKey(env: z.infer<typeof environmentSchema>): HostConfig['stateKey'] {
  const { STATE_KMS_KEY_ID: keyId, STATE_KEY_FILE: path } = env;
  if (keyId !== undefined && path === undefined) return { kind: 'kms', keyId };
  if (path !== undefined && keyId === undefined) return { kind: 'file', path };
  throw new ConfigError(
    `Session state is encrypted under a key of KMS (STATE_KMS_KEY_ID: its id, ARN or alias) or under one in a file (STATE_KEY_FILE: 32 bytes in base64). Exactly one of them must be set, not ${keyId === undefined ? 'none' : 'both'}`,
  );
}
