import type { WebhookAnswer } from '../domain/webhook-outcome.ts';

/** Sends to addresses that users gave, and only where those may lead. */
export interface WebhookSender {
  /** One POST, never repeated once the receiver may have seen it; redirects are answers. Ends within 15 seconds. */
  post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<WebhookAnswer>;
}
