import type { WebhookTimer, WebhookWake } from '../contracts/webhook-rows.ts';

/** Wakes the dispatcher: for one endpoint never twice at the same time, for several side by side. */
export interface WebhookQueue {
  /**
   * @param cause two wake-ups of an endpoint with the same cause within five minutes are one
   * @throws DependencyError when any was not taken; the others may have been
   */
  wake(wakes: readonly { readonly wake: WebhookWake; readonly cause: string }[]): Promise<void>;
  /** Wakes an endpoint at a time, or somewhat later. @throws DependencyError */
  wakeAt(timer: WebhookTimer): Promise<void>;
}

/** Wake-ups that the dispatcher has in hand. */
export interface HeldWakes {
  /**
   * For so long from now a wake-up stays in hand; then it comes again, unless it was done.
   * @param receipt that it was received with
   * @throws DependencyError
   */
  hold(receipt: string, seconds: number): Promise<void>;
}
