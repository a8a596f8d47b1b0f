import type * as z from 'zod';
import { type Settings, SettingsError, settingsSchema } from './settings.ts';

type StageSettings = Omit<z.input<typeof settingsSchema>, 'stage'>;

const dev: StageSettings = {
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
  iamApi: true,
  eventStream: true,
  authorizerCacheSeconds: 0,
  throttleRate: 50,
  throttleBurst: 100,
  usagePlans: { standard: { rate: 25, burst: 50 } },
  waf: false,
  wafRequestsPerAddress: 3_000,
  archiveDays: 1,
  eventLogDays: 3,
  mediaDays: 7,
  logDays: 7,
  webhookEvents: '*',
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
  throttleRate: 500,
  throttleBurst: 1_000,
  usagePlans: { standard: { rate: 100, burst: 200 } },
  waf: true,
  archiveDays: 14,
  eventLogDays: 14,
  mediaDays: 90,
  logDays: 90,
};

export const STAGES: Readonly<Record<string, StageSettings>> = { dev, prod };

/**
 * The settings of a stage, with what the context says instead. Stages that are not named here are like the one that the
 * context calls `like`, or like `dev`.
 *
 * @param context value of a context name, undefined where there is none
 * @throws SettingsError
 */
export function readSettings(stage: string, context: (name: string) => unknown): Settings {
  const names = Object.keys(settingsSchema.shape).filter((name) => name !== 'stage');
  const given = names.map((name) => [name, structured(context(name))] as const);
  const parsed = settingsSchema.safeParse({
    ...(STAGES[stage] ?? model(stage, context('like'))),
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    stage,
  });
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new SettingsError(`The settings of stage ${stage} are not usable. ${issues.join('; ')}`);
}

function model(stage: string, like: unknown = 'dev'): StageSettings {
  const known = Object.entries(STAGES).find(([name]) => name === like);
  if (known !== undefined) return known[1];
  throw new SettingsError(
    `The settings of stage ${stage} are not usable. like: must be one of ${Object.keys(STAGES).join(', ')}`,
  );
}

/** Objects come as JSON on the command line. */
function structured(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith('{') ? JSON.parse(value) : value;
}
