import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { nowSeconds } from './accounts.ts';
import type { IqTable } from './iq-router.ts';
import type { Server } from './server.ts';
import { node } from './wire/binary-node.ts';

const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Encrypted files by the SHA-256 of their bytes (base64url); on disk when a folder is given, else in memory. */
export class MediaStore {
  readonly #files = new Map<string, Buffer>();
  /** What is no longer served, and phones still have. */
  readonly #dropped = new Map<string, Buffer>();
  readonly #folder: string | undefined;

  constructor(folder?: string) {
    this.#folder = folder;
  }

  async put(token: string, body: Buffer): Promise<void> {
    if (!this.#folder) {
      this.#files.set(token, body);
      return;
    }
    await mkdir(this.#folder, { recursive: true });
    await writeFile(join(this.#folder, token), body);
  }

  async get(token: string): Promise<Buffer | undefined> {
    if (!TOKEN.test(token)) return undefined;
    if (!this.#folder) return this.#files.get(token);
    try {
      return await readFile(join(this.#folder, token));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async drop(token: string): Promise<void> {
    const body = await this.get(token);
    if (!body) return;
    this.#dropped.set(token, body);
    this.#files.delete(token);
    if (this.#folder) await rm(join(this.#folder, token));
  }

  /** A file as whoever has seen it has it. */
  async copyOf(token: string): Promise<Buffer | undefined> {
    return this.#dropped.get(token) ?? (await this.get(token));
  }
}

/** Where an uploaded file is found again. */
export interface MediaPlace {
  readonly url: string;
  readonly directPath: string;
}

export const mediaToken = (body: Buffer): string => createHash('sha256').update(body).digest('base64url');

/** Stores a file the way an upload would. */
export async function storeMedia(server: Server, body: Buffer): Promise<MediaPlace> {
  const token = mediaToken(body);
  await server.media.put(token, body);
  return placeOf(server, token);
}

// Clients append further parameters with `&`, so the path must already have a query.
function placeOf(server: Server, token: string): MediaPlace {
  const directPath = `/v/t62.7118-24/${token}?ccb=11-4&oh=01&oe=7FFFFFFF`;
  return { url: `https://${server.mediaHost}${directPath}`, directPath };
}

/** Reads a file back by its direct path, query or no query. */
export async function loadMedia(server: Server, directPath: string): Promise<Buffer | undefined> {
  return server.media.get(tokenOf(directPath));
}

/** Uploads a phone's copy of a file again. @returns its new direct path; undefined when nobody has seen the file */
export async function sendMediaAgain(server: Server, directPath: string): Promise<string | undefined> {
  const body = await server.media.copyOf(tokenOf(directPath));
  if (!body) return undefined;
  const token = randomBytes(32).toString('base64url');
  await server.media.put(token, body);
  return placeOf(server, token).directPath;
}

function tokenOf(directPath: string): string {
  return new URL(directPath, 'https://media.invalid').pathname.split('/').at(-1) ?? '';
}

export const mediaIqs: IqTable = {
  'w:m set media_conn': ({ server }) => [
    node('media_conn', { auth: 'simulated', ttl: '3600', auth_ttl: '21600', max_buckets: '12' }, [
      node('host', { hostname: server.mediaHost }),
    ]),
  ],
};

/** Serves uploads (`POST /mms/…/<token>`) and downloads (`GET /v/…/<token>`). */
export async function serveMedia(
  server: Server,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  if (request.method === 'POST') await upload(server, request, response, url);
  else await download(server, request, response, url);
}

async function upload(server: Server, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const body = await readBody(request);
  const token = decodeURIComponent(url.pathname.split('/').at(-1) ?? '')
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
  if (token !== mediaToken(body)) {
    server.stats.violation('media upload: the token is not the SHA-256 of the body');
    response.writeHead(415).end();
    return;
  }
  server.stats.uploads += 1;
  await server.media.put(token, body);
  const { url: place, directPath } = placeOf(server, token);
  response.writeHead(200, { 'content-type': 'application/json' });
  const answer = JSON.stringify({
    url: place,
    direct_path: directPath,
    handle: token,
    object_id: String(nowSeconds()),
  });
  if (server.faults.strike('break-upload', { phone: '', device: 0 }))
    response.write(answer.slice(0, 5), () => request.socket.destroy());
  else response.end(answer);
}

async function download(server: Server, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const dropped = server.faults.strike('drop-media', { phone: '', device: 0 });
  if (dropped) await server.media.drop(tokenOf(url.pathname));
  const body = await loadMedia(server, url.pathname);
  if (!body) {
    response.writeHead(dropped?.code ?? 404).end();
    return;
  }
  server.stats.downloads += 1;
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (!range) {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length });
    if (server.faults.strike('stall-media', { phone: '', device: 0 }))
      response.write(body.subarray(0, body.length / 2));
    else response.end(body);
    return;
  }
  const start = Number(range[1]);
  const end = Math.min(range[2] ? Number(range[2]) : body.length - 1, body.length - 1);
  if (start > end) {
    response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
    return;
  }
  const part = body.subarray(start, end + 1);
  response.writeHead(206, { 'content-range': `bytes ${start}-${end}/${body.length}`, 'content-length': part.length });
  response.end(part);
}

/** Collects a request's whole body. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
