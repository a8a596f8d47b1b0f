import { DependencyError } from '../domain/errors.ts';

/** The `name` of an SDK error, e.g. `ConditionalCheckFailedException`; undefined for anything that has none. */
export function awsErrorName(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}

/** HTTP status of an SDK error, when the request got an answer. */
export function awsErrorStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** What an unexpected SDK error means to the rest of Trunkline. The cause keeps the details for the log. */
export function dependencyError(operation: string, cause: unknown): DependencyError {
  return new DependencyError(`${operation} failed: ${awsErrorName(cause) ?? 'unknown error'}`, { cause });
}
