import { beforeEach, describe, expect, it } from 'vitest';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import type { EventBus } from '#shared/ports/event-bus.ts';
import { eventEnvelope } from './events.ts';
import { waMessage } from './rows.ts';

export interface EventBusSetup {
  readonly bus: EventBus;
  /** Events that arrived, whole, in order. */
  readonly arrived: () => Promise<readonly EventEnvelope[]>;
  /** Makes the bus refuse the entries of an event, or every call. */
  readonly refuse: (what: 'call' | { readonly eventId: string }) => void;
}

const message = (id: string, body?: string) =>
  eventEnvelope(
    { event: 'message.any', payload: waMessage({ id, ...(body !== undefined && { body }) }) },
    { id: `evt_${id}` },
  );

/** What every bus does. @param factory gives a bus that has seen nothing */
export function defineEventBusContract(name: string, factory: () => Promise<EventBusSetup>): void {
  describe(`${name}: a bus`, () => {
    let setup: EventBusSetup;
    beforeEach(async () => {
      setup = await factory();
    });

    it('carries events whole and in order', async () => {
      const events = Array.from({ length: 10 }, (_, index) => message(`AAAAA${index}`));
      expect(await setup.bus.publish(events)).toEqual([]);
      expect(await setup.arrived()).toEqual(events);
    });

    it('carries events of any size', async () => {
      const events = [
        message('SMALL1'),
        message('LARGE1', 'ü'.repeat(150_000)),
        message('HALF01', 'x'.repeat(150_000)),
        message('HALF02', 'y'.repeat(150_000)),
      ];
      expect(await setup.bus.publish(events)).toEqual([]);
      expect(await setup.arrived()).toEqual(events);
    });

    it('names the events that were not taken', async () => {
      setup.refuse({ eventId: 'evt_AAAAA1' });
      const events = ['AAAAA0', 'AAAAA1', 'AAAAA2'].map((id) => message(id));
      expect(await setup.bus.publish(events)).toEqual([1]);
      expect((await setup.arrived()).map(({ id }) => id)).toEqual(['evt_AAAAA0', 'evt_AAAAA2']);
    });

    it('says when nothing was taken because the bus is away', async () => {
      setup.refuse('call');
      await expect(setup.bus.publish([message('AAAAA0')])).rejects.toBeInstanceOf(DependencyError);
      expect(await setup.arrived()).toEqual([]);
    });

    it('has nothing to do for no events', async () => {
      expect(await setup.bus.publish([])).toEqual([]);
    });
  });
}
