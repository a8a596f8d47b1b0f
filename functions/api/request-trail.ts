import { AsyncLocalStorage } from 'node:async_hooks';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { joinTrace } from '#shared/domain/trace-context.ts';

/** What joins all that is logged of a request, and all that it sets off. */
export interface RequestTrail {
  /** API Gateway's own, which is in its access log; the client gets it as `x-request-id`. */
  readonly requestId: string;
  /** In the client's trace, if it is in one. */
  readonly traceparent: string;
  /** Of the job that the request has made, or has found made. */
  readonly jobId?: string;
}

/** What is looked at of a request. */
interface TrailedEvent extends Pick<APIGatewayProxyEvent, 'multiValueHeaders'> {
  readonly requestContext: Pick<APIGatewayProxyEvent['requestContext'], 'requestId'>;
}

const trails = new AsyncLocalStorage<{ trail: RequestTrail }>();

/** Does a request's work. All that happens meanwhile on its behalf knows its trail without being told. */
export function onTrail<T>(event: TrailedEvent, work: () => T): T {
  const { requestId } = event.requestContext;
  return trails.run({ trail: { requestId, traceparent: joinTrace(traceparentHeader(event)) } }, work);
}

/** Undefined outside of a request. */
export function currentTraceparent(): string | undefined {
  return trails.getStore()?.trail.traceparent;
}

/** From here on the request is about this job. */
export function noteJob(jobId: string): void {
  const store = trails.getStore();
  if (store !== undefined) store.trail = { ...store.trail, jobId };
}

/** What each line that is logged on behalf of a request says of it. */
export function trailFields(): Partial<RequestTrail> {
  return { ...trails.getStore()?.trail };
}

/** Of several nobody knows which is right. */
function traceparentHeader({ multiValueHeaders }: TrailedEvent): string | undefined {
  const sent = Object.entries(multiValueHeaders ?? {}).filter(([name]) => name.toLowerCase() === 'traceparent');
  const [first, ...others] = sent.flatMap(([, values]) => values ?? []);
  return others.length === 0 ? first : undefined;
}
