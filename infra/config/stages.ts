import type * as z from 'zod';
import { type Settings, SettingsError, settingsSchema } from './settings.ts';

type StageSettings = Omit<z.input<typeof settingsSchema>, 'stage'>;

const dev: StageSettings = {
  pools: 'socket',
  shards: 8,
  keepData: false,
  network: 'public',
  natGateways: 1,
  interfaceEndpoints: false,
  hostCpu: 512,
  hostMemoryMiB: 1024,
  sessionsPerHost: 200,
  warmSpares: 0,
  maxHosts: 2,
  scaleInMinutes: 15,
  browserShards: 8,
  browserHostCpu: 1024,
  browserHostMemoryMiB: 4096,
  browserSessionsPerHost: 5,
  maxBrowserHosts: 2,
  iamApi: true,
  eventStream: true,
  authorizerCacheSeconds: 0,
  throttleRate: 50,
  throttleBurst: 100,
  usagePlans: { standard: { rate: 25, burst: 50 } },
  waf: false,
  archiveDays: 1,
  eventLogDays: 4,
  mediaDays: 7,
  logDays: 7,
  webhookEvents: '*',
  auditDays: 30,
  logLevel: 'info',
  pacingProfile: 'safe',
};

const prod: StageSettings = {
  ...dev,
  shards: 64,
  keepData: true,
  natGateways: 2,
  interfaceEndpoints: true,
  hostCpu: 1024,
  hostMemoryMiB: 2048,
  sessionsPerHost: 500,
  warmSpares: 1,
  maxHosts: 10,
  browserShards: 64,
  browserHostCpu: 2048,
  browserHostMemoryMiB: 8192,
  browserSessionsPerHost: 10,
  maxBrowserHosts: 10,
  throttleRate: 500,
  throttleBurst: 1_000,
  usagePlans: { standard: { rate: 100, burst: 200 } },
  waf: true,
  archiveDays: 14,
  eventLogDays: 14,
  mediaDays: 90,
  logDays: 90,
  auditDays: 365,
};

export const STAGES: Readonly<Record<string, StageSettings>> = { dev, prod };

/** Context that is not ours: feature flags, what the CDK's command line says or keeps, and (with a colon) what it has looked up. */
const OF_THE_CDK = /^@aws-cdk|^cdk|:|^(?:cli-telemetry|acknowledged-issue-numbers)$/;
/** Context that says which settings are meant, and not what they are. */
const OTHERS = ['stage', 'like', 'target', 'endpoint'];

/**
 * The settings of a stage, with what the context says instead. Stages that are not named here are like the one that the
 * context calls `like`, or like `dev`.
 *
 * @param context everything that the app was given; names that are nobody's are refused
 * @throws SettingsError
 */
export function readSettings(stage: string, context: Readonly<Record<string, unknown>>): Settings {
  const given = Object.entries(context).filter(([name]) => !OF_THE_CDK.test(name) && !OTHERS.includes(name));
  const known = new Set(Object.keys(settingsSchema.shape));
  const problems = given.flatMap(([name, value]) => {
    if (!known.has(name)) return [`${name}: there is no such setting`];
    return value === '' ? [`${name}: must not be empty`] : [];
  });
  if (problems.length > 0) throw unusable(stage, problems);
  const parsed = settingsSchema.safeParse({
    ...(STAGES[stage] ?? model(stage, context.like)),
    ...Object.fromEntries(given.map(([name, value]) => [name, structured(value)])),
    stage,
  });
  if (parsed.success) return parsed.data;
  throw unusable(
    stage,
    parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  );
}

function unusable(stage: string, problems: readonly string[]): SettingsError {
  return new SettingsError(`The settings of stage ${stage} are not usable. ${problems.join('; ')}`);
}

function model(stage: string, like: unknown = 'dev'): StageSettings {
  const known = Object.entries(STAGES).find(([name]) => name === like);
  if (known !== undefined) return known[1];
  throw unusable(stage, [`like: must be one of ${Object.keys(STAGES).join(', ')}`]);
}

/** Objects come as JSON on the command line. */
function structured(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith('{') ? JSON.parse(value) : value;
}
