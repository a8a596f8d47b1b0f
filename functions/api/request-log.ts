import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Logger } from 'pino';

interface LoggedRequest {
  readonly event: APIGatewayProxyEvent;
  response?: APIGatewayProxyResult | null | undefined;
  readonly internal: Record<string, unknown>;
}

/** Middleware: one line for each request. The route, never the path: paths hold phone numbers. */
export function requestLog(
  logger: Pick<Logger, 'info'>,
  operationOf: (event: APIGatewayProxyEvent) => string | undefined,
) {
  const write = (request: LoggedRequest): void => {
    const { startedAt } = request.internal;
    logger.info(
      {
        operation: operationOf(request.event) ?? null,
        method: request.event.httpMethod,
        status: request.response?.statusCode,
        ms: typeof startedAt === 'number' ? Math.round((performance.now() - startedAt) * 10) / 10 : null,
      },
      'request',
    );
  };
  return {
    before(request: LoggedRequest): void {
      request.internal.startedAt = performance.now();
    },
    after: write,
    onError: write,
  };
}
