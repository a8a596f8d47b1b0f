import type { SessionConfig } from '#shared/contracts/session.ts';
import { NotSupportedError } from '#shared/domain/errors.ts';
import { assertWebhooksUsable, type WebhookChecks } from './webhook-rules.ts';

/**
 * Refuses what a session cannot be given yet. A proxy that is accepted and not used would show WhatsApp the very address
 * that it was meant to hide.
 *
 * @throws NotSupportedError; ValidationError for webhooks that could never work
 */
export async function assertConfigSupported(checks: WebhookChecks, config: SessionConfig): Promise<void> {
  await assertWebhooksUsable(checks, config.webhooks ?? []);
  if (!config.proxy) return;
  throw new NotSupportedError(
    'config.proxy is not supported yet: the session would connect from the address of its host. Leave it out',
  );
}
