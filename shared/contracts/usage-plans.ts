/** The gateway key that a plan's callers are counted under. */
export type UsagePlans = (plan: string | undefined) => string;

/**
 * Value of the gateway key of a usage plan. It is no secret: API Gateway takes it from the authorizer alone, never from a
 * request. Gateway keys are unique in an account and region and have at least 20 characters.
 */
export function usagePlanKey(prefix: string, plan: string): string {
  return `${prefix}-callers-counted-under-${plan}`;
}
