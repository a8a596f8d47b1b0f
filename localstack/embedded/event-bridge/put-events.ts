import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { ACCOUNT_ID, REGION } from '../aws-identity.ts';
import { EventBridgeError } from './event-bridge-error.ts';

const MAX_ENTRIES = 10;
const MAX_REQUEST_BYTES = 1024 * 1024;
const MAX_ENTRY_BYTES = 256 * 1024;

const entrySchema = z.object({
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  Resources: z.array(z.string()).optional(),
  /** Epoch seconds, as the JSON protocol writes times. */
  Time: z.number().optional(),
  EventBusName: z.string().optional(),
  TraceHeader: z.string().optional(),
});
const requestSchema = z.object({ Entries: z.array(entrySchema) });

type Entry = z.infer<typeof entrySchema>;

/** An event as targets get it, before it is text. */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** An entry is taken with its event, or refused on its own while its neighbours go through. */
export type EntryOutcome =
  | { readonly accepted: true; readonly bus: string; readonly event: BusEvent }
  | { readonly accepted: false; readonly code: string; readonly message: string };

/**
 * Checks a PutEvents request as EventBridge does.
 *
 * @throws EventBridgeError if the whole request is refused: 1 to 10 entries, 1 MiB together
 */
export function parsePutEvents(input: unknown, buses: ReadonlySet<string>, nowMs: number): readonly EntryOutcome[] {
  const parsed = requestSchema.safeParse(input);
  if (!parsed.success) throw EventBridgeError.validation(z.prettifyError(parsed.error));
  const { Entries } = parsed.data;
  if (Entries.length < 1 || Entries.length > MAX_ENTRIES) {
    throw EventBridgeError.validation(
      `Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${MAX_ENTRIES}`,
    );
  }
  const sizes = Entries.map(entryBytes);
  if (sizes.reduce((sum, size) => sum + size, 0) > MAX_REQUEST_BYTES) {
    throw EventBridgeError.validation('Total size of the entries in the request is over the limit.');
  }
  return Entries.map((entry, index) => parseEntry(entry, sizes[index] ?? 0, buses, nowMs));
}

/** The size AWS counts: 14 bytes for a time, and the UTF-8 bytes of the texts. */
function entryBytes({ Time, Source = '', DetailType = '', Detail = '', Resources = [] }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return (Time === undefined ? 0 : 14) + texts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
}

function parseEntry(entry: Entry, bytes: number, buses: ReadonlySet<string>, nowMs: number): EntryOutcome {
  const refuse = (code: string, message: string): EntryOutcome => ({ accepted: false, code, message });
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    if (entry[name] === undefined || entry[name] === '') {
      return refuse('InvalidArgument', `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);
    }
  }
  const { Source: source = '', DetailType = '', Detail = '', Resources: resources = [], Time } = entry;
  if (source.startsWith('aws.')) {
    return refuse('NotAuthorizedForSourceException', `Not authorized for the source ${source}.`);
  }
  if (bytes > MAX_ENTRY_BYTES) {
    return refuse('InvalidArgument', `The entry has ${bytes} bytes; the limit is ${MAX_ENTRY_BYTES}.`);
  }
  const bus = busNameOf(entry.EventBusName);
  // AWS takes events for a bus that is not there and drops them; here the mistake is visible.
  if (!buses.has(bus)) return refuse('ResourceNotFoundException', `Event bus ${bus} does not exist.`);
  const detail = parseDetail(Detail);
  if (detail === undefined) return refuse('MalformedDetail', 'Detail is malformed.');
  const event = busEvent(
    { source, detailType: DetailType, resources, detail },
    Time === undefined ? nowMs : Time * 1000,
  );
  return { accepted: true, bus, event };
}

/** What an event says, whoever it comes from. */
export interface EventContent {
  readonly source: string;
  readonly detailType: string;
  readonly resources: readonly string[];
  readonly detail: object;
}

export function busEvent({ source, detailType, resources, detail }: EventContent, atMs: number): BusEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source,
    account: ACCOUNT_ID,
    time: new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z'),
    region: REGION,
    resources,
    detail,
  };
}

function parseDetail(text: string): object | undefined {
  try {
    const detail: unknown = JSON.parse(text);
    return typeof detail === 'object' && detail !== null && !Array.isArray(detail) ? detail : undefined;
  } catch {
    // Not JSON: the caller names the entry as malformed.
    return undefined;
  }
}

/** A bus is named by its name or its ARN; no name is the default bus. */
export const busNameOf = (nameOrArn: string | undefined): string =>
  nameOrArn === undefined ? 'default' : nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1);
