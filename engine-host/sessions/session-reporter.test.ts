import { describe, expect, it } from 'vitest';
import { DependencyError, NotOwnerError } from '#shared/domain/errors.ts';
import type { SessionReport } from '#shared/ports/session-store.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { SessionReporter } from './session-reporter.ts';

function createReporter(write: (report: SessionReport) => Promise<void>) {
  const lease = new ManualLease();
  return { lease, reporter: new SessionReporter({ lease, write, onFailure: () => {} }) };
}

describe('SessionReporter', () => {
  it('writes in order, one at a time, and merges what comes meanwhile', async () => {
    const written: SessionReport[] = [];
    const gate = Promise.withResolvers<void>();
    const { reporter } = createReporter(async (report) => {
      written.push(report);
      if (written.length === 1) await gate.promise;
    });
    const first = reporter.report({ status: 'STARTING' });
    await new Promise((resolve) => setImmediate(resolve));
    const second = reporter.report({ status: 'SCAN_QR_CODE', qr: { value: 'x', expiresAt: 1 } });
    const third = reporter.report({ status: 'WORKING', qr: null });
    expect(written).toEqual([{ status: 'STARTING' }]);
    gate.resolve();
    await Promise.all([first, second, third]);
    expect(written).toEqual([{ status: 'STARTING' }, { status: 'WORKING', qr: null }]);
    await reporter.idle();
  });

  it('repeats until it is written', async () => {
    let failures = 2;
    const { reporter } = createReporter(async () => {
      if (failures-- > 0) throw new DependencyError('DynamoDB is down');
    });
    await reporter.report({ activityAt: 1 });
    expect(failures).toBe(-1);
  });

  it('gives up when the row is somebody else’s', async () => {
    const { reporter } = createReporter(async () => {
      throw new NotOwnerError('a higher epoch has written');
    });
    await expect(reporter.report({ activityAt: 1 })).rejects.toThrow(NotOwnerError);
  });

  it('writes nothing without a lease', async () => {
    const written: SessionReport[] = [];
    const { reporter, lease } = createReporter(async (report) => void written.push(report));
    lease.end();
    await expect(reporter.report({ activityAt: 1 })).rejects.toThrow(NotOwnerError);
    expect(written).toEqual([]);
  });
});
