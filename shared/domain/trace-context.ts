import { createHash, randomBytes } from 'node:crypto';

/** What is taken of a `traceparent` header of W3C Trace Context, level 1. */
export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** What the sender calls what it does: 16 lower-case hex digits, not all zero. */
  readonly parentId: string;
  /** Whether the sender may have recorded it. */
  readonly sampled: boolean;
}

/** `ff` is no version. What later versions append is not looked at, in version 00 nothing may follow. */
const TRACEPARENT =
  /^(?:00(?=.{53}$)|(?!00|ff)[0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const SAMPLED = 1;
const TRACE_BYTES = 16;
const PARENT_BYTES = 8;

/** Undefined when it must be ignored. */
export function parseTraceparent(header: string): TraceContext | undefined {
  const [, traceId, parentId, flags] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || parentId === undefined || flags === undefined) return undefined;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/** In version 00, where only the sampled flag has a meaning. */
export function formatTraceparent({ traceId, parentId, sampled }: TraceContext): string {
  return `00-${traceId}-${parentId}-${sampled ? '01' : '00'}`;
}

/**
 * The `traceparent` of something that begins here: a part of the caller's trace if there is one, else of a new trace.
 *
 * @param header as the caller sent it; one that is not valid is ignored
 */
export function joinTrace(header: string | undefined): string {
  const caller = header === undefined ? undefined : parseTraceparent(header);
  return formatTraceparent({
    traceId: caller?.traceId ?? randomBytes(TRACE_BYTES).toString('hex'),
    parentId: randomBytes(PARENT_BYTES).toString('hex'),
    sampled: caller?.sampled ?? true,
  });
}

/**
 * The `traceparent` of something that nobody has asked for: the same for the same happening, however often it is told.
 *
 * @param parts what happened; they cannot be found out from the result
 */
export function traceparentOf(...parts: readonly string[]): string {
  const hash = createHash('sha256')
    .update(['trace', ...parts].join('\0'))
    .digest('hex');
  return formatTraceparent({
    traceId: hash.slice(0, 2 * TRACE_BYTES),
    parentId: hash.slice(2 * TRACE_BYTES, 2 * (TRACE_BYTES + PARENT_BYTES)),
    sampled: true,
  });
}
