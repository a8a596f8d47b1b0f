import type { BundledFiles } from '../constructs/bundle.ts';

export interface FunctionShape {
  /** Its folder below `functions/`. */
  readonly entry: string;
  readonly files?: BundledFiles;
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
  /** What it sends may call it again, any number of times. What ends each such chain: ADR 18. */
  readonly feedsItself?: true;
}

/** API Gateway gives up after 29 seconds, so there is no use in more. Memory buys CPU, and so the time of a cold start. */
const api = (group: string, more: Partial<FunctionShape> = {}): FunctionShape => ({
  entry: `api/${group}`,
  memoryMiB: 1024,
  timeoutSeconds: 29,
  ...more,
});

/** Twice the visibility timeout of its queue would be too long: what fails comes back six times as late as it may run. */
const PROJECTOR_TIMEOUT_SECONDS = 10;

/** What each function is made of, and how large it runs. */
export const FUNCTION_SHAPES = {
  'api-sessions': api('sessions'),
  'api-pairing': api('pairing'),
  'api-contacts': api('contacts'),
  'api-chatting': api('chatting'),
  'api-chats': api('chats'),
  'api-files': api('files'),
  'api-jobs': api('jobs'),
  'api-webhooks': api('webhooks'),
  'api-keys': api('keys'),
  'api-server': api('server', { memoryMiB: 512 }),
  'api-docs': api('docs', {
    memoryMiB: 512,
    files: { package: 'swagger-ui-dist', files: ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] },
  }),
  authorizer: { entry: 'authorizer', memoryMiB: 1024, timeoutSeconds: 5 },
  'event-projector': { entry: 'event-projector', memoryMiB: 512, timeoutSeconds: PROJECTOR_TIMEOUT_SECONDS },
  'stream-connections': { entry: 'event-stream/connections', memoryMiB: 512, timeoutSeconds: 10 },
  'stream-fanout': { entry: 'event-stream/fanout', memoryMiB: 512, timeoutSeconds: 10, feedsItself: true },
  // Five tasks of one stream in a row, each of which takes up to two and a half seconds.
  'stream-sender': { entry: 'event-stream/sender', memoryMiB: 512, timeoutSeconds: 25, feedsItself: true },
  reconciler: { entry: 'reconciler', memoryMiB: 512, timeoutSeconds: 60 },
  // Sooner than the next call of its schedule, and than its queue's messages come back.
  capacity: { entry: 'capacity', memoryMiB: 512, timeoutSeconds: 30 },
  'webhook-fanout': { entry: 'webhook-fanout', memoryMiB: 512, timeoutSeconds: 10, feedsItself: true },
  // A try takes 15 seconds, and none is begun after 6.
  'webhook-dispatcher': { entry: 'webhook-dispatcher', memoryMiB: 512, timeoutSeconds: 25, feedsItself: true },
  'administrator-key': { entry: 'administrator-key', memoryMiB: 256, timeoutSeconds: 30 },
} as const satisfies Readonly<Record<string, FunctionShape>>;
