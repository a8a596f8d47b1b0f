import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';

/** Tells whether the host of a URL takes TCP connections, within `timeoutMs`. Sends nothing. */
export async function isReachable(url: string, timeoutMs: number): Promise<boolean> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const { hostname, port, protocol } = new URL(url);
    const { address } = await lookup(hostname);
    const socket = connect({ host: address, port: Number(port) || (protocol === 'wss:' ? 443 : 80) });
    try {
      await once(socket, 'connect', { signal });
    } finally {
      socket.destroy();
    }
    return true;
  } catch {
    return false;
  }
}
