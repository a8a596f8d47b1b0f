import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Logger } from 'pino';
import {
  DependencyError,
  EngineError,
  type ErrorCode,
  TrunklineError,
  ValidationError,
  WrongStateError,
} from '#shared/domain/errors.ts';
import {
  FileNotFoundError,
  JobNotAcceptedError,
  JobNotCancellableError,
  SessionBacklogError,
  SessionExistsError,
  ShardBacklogError,
} from './api-errors.ts';
import { jsonResult } from './reply.ts';

/**
 * Statuses by code. `engine` is what WhatsApp or the engine has refused for good: 422, because a 5xx would make
 * clients send again what cannot succeed.
 */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  validation: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'not-supported': 422,
  'wrong-state': 422,
  engine: 422,
  quota: 429,
  dependency: 503,
};

const REASON: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** The one place that turns an error into a status and a body: WAHA's fields, plus `code` and what belongs to it. */
function errorResult(error: unknown, requestId: string): APIGatewayProxyResult {
  if (!(error instanceof TrunklineError)) {
    return jsonResult(500, {
      statusCode: 500,
      message: 'Internal server error',
      error: 'Internal Server Error',
      code: 'internal',
      requestId,
    });
  }
  const status = error instanceof SessionExistsError ? 422 : STATUS[error.code];
  const body = { ...wahaFields(error, status), code: error.code, ...ownFields(error) };
  return jsonResult(status, body, ownHeaders(error));
}

function wahaFields(error: TrunklineError, statusCode: number): Record<string, unknown> {
  if (error instanceof WrongStateError) {
    return { error: error.message, session: error.session, status: error.status, expected: error.expected };
  }
  if (error instanceof FileNotFoundError) {
    return { error: { code: 404, key: 'FILE_NOT_FOUND', message: error.message, details: error.file } };
  }
  if (statusCode === 401) return { message: error.message, statusCode };
  if (error instanceof ValidationError) {
    const message = error.issues.map((issue) => `${issue.path}: ${issue.message}`);
    return { statusCode, message, error: REASON[statusCode] };
  }
  return { statusCode, message: clientMessage(error), error: REASON[statusCode] };
}

/** What an adapter reports of a table, a queue or a bucket is for the log; clients cannot do anything about its names. */
function clientMessage(error: TrunklineError): string {
  const isAdapters = error instanceof DependencyError && error.constructor === DependencyError;
  return isAdapters ? 'A service Trunkline depends on did not answer; try again' : error.message;
}

function ownFields(error: TrunklineError): Record<string, unknown> {
  if (error instanceof ValidationError) return { issues: error.issues };
  if (error instanceof EngineError) return { reason: error.reason };
  if (error instanceof JobNotAcceptedError) {
    return { job: { id: error.jobId, url: `/api/${error.session}/jobs/${error.jobId}`, certain: error.certain } };
  }
  if (error instanceof JobNotCancellableError) {
    return { job: { id: error.jobId, url: `/api/${error.session}/jobs/${error.jobId}`, state: error.state } };
  }
  return {};
}

function ownHeaders(error: TrunklineError): Record<string, string> {
  const isFull = error instanceof SessionBacklogError || error instanceof ShardBacklogError;
  return isFull ? { 'retry-after': String(error.retryAfter) } : {};
}

interface FailedRequest {
  readonly event: APIGatewayProxyEvent;
  readonly error: unknown;
  response?: APIGatewayProxyResult | null | undefined;
}

/** Middleware: every error becomes an answer; what nobody expected is logged. */
export function httpErrors(logger: Pick<Logger, 'error' | 'warn'>) {
  return {
    onError(request: FailedRequest): void {
      const { error } = request;
      if (!(error instanceof TrunklineError)) logger.error({ err: error }, 'request failed');
      else if (error.code === 'dependency') logger.warn({ err: error }, 'a dependency failed');
      request.response = errorResult(error, request.event.requestContext.requestId);
    },
  };
}
