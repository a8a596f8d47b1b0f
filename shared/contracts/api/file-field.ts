import * as z from 'zod';

/**
 * Largest media that may come inside a request, in bytes. A Lambda function takes 6 MiB, and API Gateway hands it the
 * whole body in base64 once more; the rest of the request needs room too.
 */
export const MAX_INLINE_BYTES = 3_300_000;

/** Media of a request: inline, or named by URL. */
export type FileInput =
  | { readonly kind: 'url'; readonly url: string; readonly mimetype?: string; readonly filename?: string }
  | { readonly kind: 'data'; readonly data: string; readonly mimetype?: string; readonly filename?: string };

const MIMETYPE = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(?:\s*;[\x20-\x7e]{0,100})?$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && hostname !== '';
}

/** `file` of a send: `{url}` or `{data}` (base64, a `data:` URL's prefix is tolerated), with type and name if known. */
export const fileField = z
  .object({
    mimetype: z.string().regex(MIMETYPE, { error: 'must be a media type such as image/jpeg' }).nullish(),
    filename: z.string().max(255).nullish(),
    url: z.string().max(4096).nullish(),
    data: z.string().nullish(),
  })
  .transform((file, context): FileInput => {
    const known = {
      ...(file.mimetype ? { mimetype: file.mimetype } : {}),
      ...(file.filename ? { filename: file.filename } : {}),
    };
    const refuse = (field: string, message: string, input: unknown): never => {
      context.addIssue({ code: 'custom', path: [field], message, input });
      return z.NEVER;
    };
    if (file.url && file.data) return refuse('url', 'must not be given together with data', file.url);
    if (file.url) {
      if (!isHttpUrl(file.url)) return refuse('url', 'must be an http or https URL', file.url);
      return { kind: 'url', url: file.url, ...known };
    }
    if (!file.data) return refuse('url', 'must be given, or data', file.url);
    const data = file.data.replace(/^data:[^,]{0,200};base64,/, '').replace(/\s+/g, '');
    if (data.length > Math.ceil(MAX_INLINE_BYTES / 3) * 4) {
      return refuse('data', `must not be larger than ${MAX_INLINE_BYTES} bytes; larger media goes by url`, undefined);
    }
    if (!BASE64.test(data)) return refuse('data', 'must be base64', undefined);
    return { kind: 'data', data, ...known };
  })
  .meta({
    description:
      'Media by `url`, or inline as base64 in `data`, at most 3.3 MB decoded. Its content has to be of a type that the operation takes.',
  });
