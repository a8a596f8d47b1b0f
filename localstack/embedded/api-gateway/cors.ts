export interface CorsOptions {
  /** @default `*` */
  readonly allowOrigin?: string;
  readonly allowHeaders: readonly string[];
  /** Headers of the gateway's own answers that pages may read. @default none */
  readonly exposeHeaders?: readonly string[];
  /** How long a browser may keep the answer to a preflight. @default 600 */
  readonly maxAgeSeconds?: number;
}

/** The headers of the gateway's own answers; functions set their own. */
export const corsHeaders = ({
  allowOrigin = '*',
  exposeHeaders = [],
}: CorsOptions): Readonly<Record<string, string>> => ({
  'access-control-allow-origin': allowOrigin,
  ...(allowOrigin === '*' ? {} : { vary: 'Origin' }),
  ...(exposeHeaders.length > 0 && { 'access-control-expose-headers': exposeHeaders.join(',') }),
});

/** The headers that answer OPTIONS for a path with these methods. */
export const preflightHeaders = (
  options: CorsOptions,
  methods: readonly string[],
): Readonly<Record<string, string>> => ({
  ...corsHeaders(options),
  'access-control-allow-methods': [...methods, 'OPTIONS'].join(','),
  'access-control-allow-headers': options.allowHeaders.join(','),
  'access-control-max-age': String(options.maxAgeSeconds ?? 600),
});
