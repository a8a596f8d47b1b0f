import type { WebhookAnswer } from '../domain/webhook-outcome.ts';

/** Sends to addresses that users gave, and only where those may lead. */
export interface WebhookSender {
  /**
   * One POST; redirects are answers. Ends within 15 seconds. It is made once more, on a new connection, when one that had
   * waited breaks under it: if the receiver has seen it nevertheless, it sees the same body and `webhook-id` twice.
   */
  post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<WebhookAnswer>;
}
