import * as z from 'zod';
import { resourceNamesEnv } from '#shared/contracts/resources.ts';
import { type UsagePlans, usagePlanKey } from '#shared/contracts/usage-plans.ts';

/** Environment of the function. */
export const authorizerEnvSchema = z.object({
  ...resourceNamesEnv,
  /** Usage plans that keys may name, separated by commas, the default first; empty: none are counted. */
  USAGE_PLANS: z.string().default(''),
  LOG_LEVEL: z.string().default('info'),
});

/** Which gateway key a key's plan is counted under; undefined where nothing is counted. */
export function usagePlansOf(
  env: Pick<z.infer<typeof authorizerEnvSchema>, 'RESOURCE_PREFIX' | 'USAGE_PLANS'>,
): UsagePlans | undefined {
  const [standard, ...others] = env.USAGE_PLANS.split(',').filter((name) => name !== '');
  if (standard === undefined) return undefined;
  const known = new Set([standard, ...others]);
  return (plan) => usagePlanKey(env.RESOURCE_PREFIX, plan !== undefined && known.has(plan) ? plan : standard);
}
