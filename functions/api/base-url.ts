import type { APIGatewayProxyEvent } from 'aws-lambda';

const HOST = /^[A-Za-z0-9.-]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:]+\](?::\d{1,5})?$/;

/**
 * Where the API is, as the client of this request sees it: scheme, host and, where API Gateway has put one in front of
 * the path, the stage.
 */
export function baseUrlOf(event: APIGatewayProxyEvent): string {
  const header = (name: string): string | undefined =>
    Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1];
  const candidate = header('host') ?? event.requestContext?.domainName ?? 'localhost';
  const host = HOST.test(candidate) ? candidate : 'localhost';
  const forwarded = header('x-forwarded-proto')?.split(',')[0]?.trim();
  const loopback = /^(?:localhost|127\.|\[::1\])/.test(host);
  const scheme = forwarded === 'http' || forwarded === 'https' ? forwarded : loopback ? 'http' : 'https';
  return `${scheme}://${host}${stagePrefix(event)}`;
}

/** What API Gateway cut off the front of the path: `/prod` of `/prod/api/sessions`. */
function stagePrefix(event: APIGatewayProxyEvent): string {
  const full = event.requestContext?.path ?? event.path;
  if (full === event.path || !full.endsWith(event.path)) return '';
  return full.slice(0, -event.path.length).replace(/\/$/, '');
}
