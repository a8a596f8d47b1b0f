import type { WebhookDisabled } from '../contracts/webhook-notices.ts';

/** Tells on the bus what has become of an endpoint. */
export interface WebhookNotices {
  /** It gets nothing any more. @throws DependencyError */
  disabled(notice: Omit<WebhookDisabled, 'schemaVersion'>): Promise<void>;
}
