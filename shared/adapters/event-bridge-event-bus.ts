import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { EventEnvelope } from '../contracts/events.ts';
import { BUS, EVENT_SOURCE } from '../contracts/resources.ts';
import type { DependencyError } from '../domain/errors.ts';
import type { EventBus } from '../ports/event-bus.ts';
import type { MediaStore } from '../ports/media-store.ts';
import { dependencyError } from './aws-errors.ts';
import { packEvent } from './event-detail.ts';

const CALL_ENTRIES = 10;
const CALL_BYTES = 256 * 1024;
/** What AWS counts for an entry's time. */
const TIME_BYTES = 14;

interface Entry {
  readonly index: number;
  readonly request: PutEventsRequestEntry;
  readonly bytes: number;
}

export class EventBridgeEventBus implements EventBus {
  readonly #client: EventBridgeClient;
  readonly #media: MediaStore;
  readonly #busName: string;

  constructor(client: EventBridgeClient, mediaStore: MediaStore, busName: string = BUS) {
    this.#client = client;
    this.#media = mediaStore;
    this.#busName = busName;
  }

  async publish(events: readonly EventEnvelope[]): Promise<readonly number[]> {
    const entries = await Promise.all(events.map((event, index) => this.#entry(event, index)));
    const failed: number[] = [];
    let lastError: DependencyError | undefined;
    for (const call of callsOf(entries)) {
      try {
        failed.push(...(await this.#put(call)));
      } catch (error) {
        lastError = dependencyError('EventBridge PutEvents', error);
        failed.push(...call.map(({ index }) => index));
      }
    }
    if (lastError !== undefined && failed.length === events.length) throw lastError;
    return failed;
  }

  /** @returns indexes that were not taken */
  async #put(entries: readonly Entry[]): Promise<readonly number[]> {
    const answer = await this.#client.send(new PutEventsCommand({ Entries: entries.map(({ request }) => request) }));
    if ((answer.FailedEntryCount ?? 0) === 0) return [];
    const results = answer.Entries ?? [];
    return entries.filter((_, at) => results[at]?.EventId === undefined).map(({ index }) => index);
  }

  async #entry(event: EventEnvelope, index: number): Promise<Entry> {
    const detail = await packEvent(event, this.#media);
    return {
      index,
      bytes: TIME_BYTES + EVENT_SOURCE.length + event.event.length + Buffer.byteLength(detail),
      request: {
        EventBusName: this.#busName,
        Source: EVENT_SOURCE,
        DetailType: event.event,
        Time: new Date(event.timestamp),
        Detail: detail,
      },
    };
  }
}

/** Entries in order, as few calls as the bus's limits allow. */
function callsOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const calls: Entry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const call = calls.at(-1);
    if (call === undefined || call.length >= CALL_ENTRIES || entry.bytes > room) {
      calls.push([entry]);
      room = CALL_BYTES - entry.bytes;
    } else {
      call.push(entry);
      room -= entry.bytes;
    }
  }
  return calls;
}
