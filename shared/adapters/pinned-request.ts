import * as http from 'node:http';
import * as https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { VettedTarget } from './vetted-target.ts';

/**
 * One GET to a vetted target: connects to its addresses only, whatever its name resolves to by now, over a connection
 * of its own and through no proxy.
 */
export async function pinnedGet(target: VettedTarget, signal: AbortSignal): Promise<http.IncomingMessage> {
  const { url, addresses } = target;
  const lookup: LookupFunction = (_hostname, options, callback) => {
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, addresses[0].address, addresses[0].family);
  };
  const { request } = url.protocol === 'https:' ? https : http;
  return await new Promise((resolve, reject) => {
    request(url, {
      agent: false,
      lookup,
      signal,
      headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'Trunkline' },
    })
      .on('response', resolve)
      .on('error', reject)
      .end();
  });
}
