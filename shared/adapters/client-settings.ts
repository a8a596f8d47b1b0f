const MAX_SOCKETS = 256;
const CONNECTION_TIMEOUT_MS = 2_000;

/** Of every client but the heartbeat's. */
export const retries = { maxAttempts: 4, retryMode: 'standard' } as const;

/** @param requestTimeout milliseconds */
export const connections = (requestTimeout: number) => {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return {
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout,
    throwOnRequestTimeout: true,
    httpAgent: agent,
    httpsAgent: agent,
  };
};
