/** What nobody brings to webhooks any more, as it has failed so often: wake-ups of endpoints, events, timers. */
export interface WebhookDeadLetters {
  /**
   * Puts the oldest back into their queues, to be tried again from the beginning; several thousand at most. What cannot be
   * read stays, for people to see.
   * @returns how many
   * @throws DependencyError; what was put back is not lost, and may come twice
   */
  bringBack(): Promise<number>;
}
