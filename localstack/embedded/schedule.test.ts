import { describe, expect, it } from 'vitest';
import { FunctionRegistry } from './function-registry.ts';
import { startSchedule } from './schedule.ts';
import { ManualClock } from './test-support/manual-clock.ts';
import { until } from './test-support/until.ts';

const SCHEDULE = { name: 'trunkline-x', function: 'x', everySeconds: 60 };

describe('a schedule', () => {
  it('calls its function again and again, never twice at once', async () => {
    const clock = new ManualClock();
    const events: unknown[] = [];
    let answer = Promise.withResolvers<void>();
    const handler = async (event: object) => {
      events.push(event);
      await answer.promise;
    };
    const schedule = startSchedule({ ...SCHEDULE, functions: new FunctionRegistry({ x: { handler } }), clock });
    expect(clock.delays()).toEqual([60_000]);
    clock.runNext();
    await until(() => events[0]);
    expect(clock.delays()).toEqual([]);
    answer.resolve();
    await until(() => clock.delays()[0]);
    answer = Promise.withResolvers<void>();
    clock.runNext();
    await until(() => events[1]);
    expect(events[1]).toMatchObject({ source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} });
    let hasStopped = false;
    const stopping = schedule.stop().then(() => {
      hasStopped = true;
    });
    await Promise.resolve();
    expect(hasStopped).toBe(false);
    answer.resolve();
    await stopping;
    expect(clock.delays()).toEqual([]);
  });

  it('goes on after a failure, and tells of it', async () => {
    const clock = new ManualClock();
    const errors: unknown[] = [];
    const handler = async () => {
      throw new Error('no');
    };
    const functions = new FunctionRegistry({ x: { handler } });
    const schedule = startSchedule({ ...SCHEDULE, functions, clock, onError: (error) => errors.push(error) });
    clock.runNext();
    await until(() => clock.delays()[0]);
    expect(errors).toHaveLength(1);
    await schedule.stop();
  });
});
