import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { REQUEST_ID_HEADER } from '#shared/contracts/api/routes.ts';

interface AnsweredRequest {
  readonly event: APIGatewayProxyEvent;
  response?: APIGatewayProxyResult | null | undefined;
}

/** Middleware: every answer says under which id its request is logged. */
export function requestIdHeader() {
  const add = ({ event, response }: AnsweredRequest): void => {
    if (response) response.headers = { ...response.headers, [REQUEST_ID_HEADER]: event.requestContext.requestId };
  };
  return { after: add, onError: add };
}
