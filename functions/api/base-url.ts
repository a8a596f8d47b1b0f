import type { APIGatewayProxyEvent } from 'aws-lambda';

const HOST = /^[A-Za-z0-9.-]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:]+\](?::\d{1,5})?$/;

/** What is looked at of a request. */
interface AddressedEvent extends Pick<APIGatewayProxyEvent, 'headers'> {
  readonly requestContext: Pick<APIGatewayProxyEvent['requestContext'], 'domainName' | 'stage'>;
}

/**
 * Where the API is, as the client of this request sees it: scheme, host and, on API Gateway's own host names, the stage.
 *
 * @param publicUrl the installation's address where it is configured; then the request is not asked
 */
export function baseUrlOf(event: AddressedEvent, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl;
  const header = (name: string): string | undefined =>
    Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1];
  const candidate = header('host') ?? event.requestContext?.domainName ?? 'localhost';
  const host = HOST.test(candidate) ? candidate : 'localhost';
  const forwarded = header('x-forwarded-proto')?.split(',')[0]?.trim();
  const loopback = /^(?:localhost|127\.|\[::1\])/.test(host);
  const scheme = forwarded === 'http' || forwarded === 'https' ? forwarded : loopback ? 'http' : 'https';
  const stage = /\.execute-api\./.test(host) ? `/${event.requestContext.stage}` : '';
  return `${scheme}://${host}${stage}`;
}
