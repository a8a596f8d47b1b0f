import { compileTextPattern } from '#shared/adapters/text-pattern.ts';
import { createRuleBrokenBy } from '#shared/adapters/vetted-target.ts';
import type { WebhookChecks } from '../use-cases/webhook-rules.ts';
import type { ApiBase } from './base.ts';

/** What configurations of webhooks are held to. */
export function createWebhookChecks({ env }: ApiBase): WebhookChecks {
  return { ruleBrokenBy: createRuleBrokenBy(new Set(env.WEBHOOK_ALLOW_PRIVATE_HOSTS)), compileTextPattern };
}
