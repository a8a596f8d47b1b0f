/** Keeps the platform from choosing this process when it has one too many. It does not keep anything from failing. */
export interface TaskProtection {
  /** @throws DependencyError when the platform did not take it */
  protect(minutes: number): Promise<void>;
  /** @throws DependencyError when the platform did not take it */
  unprotect(): Promise<void>;
}
