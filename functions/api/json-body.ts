import httpJsonBodyParser from '@middy/http-json-body-parser';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { ValidationError } from '#shared/domain/errors.ts';

interface BodyRequest {
  readonly event: APIGatewayProxyEvent;
}

/**
 * Middleware: the body, parsed. No body is an empty object, and the content type is not insisted on, as with WAHA;
 * anything that is not JSON is a `ValidationError` that does not repeat it.
 */
export function jsonBody() {
  const parser = httpJsonBodyParser({ disableContentTypeCheck: true });
  return {
    async before(request: BodyRequest): Promise<void> {
      if (!request.event.body?.trim()) request.event.body = '{}';
      try {
        // middy's request has more members than its body parser reads.
        await parser.before?.(request as Parameters<NonNullable<typeof parser.before>>[0]);
      } catch {
        throw new ValidationError([{ path: 'body', message: 'must be JSON' }]);
      }
    },
  };
}
