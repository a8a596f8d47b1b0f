import { describe, expect, it } from 'vitest';
import type { ConnectionChange, HostFault } from './ledger.ts';
import { recoveries } from './recovery.ts';

const HOSTS = 3;
const closed = (session: string, at: number): ConnectionChange => ({ session, kind: 'closed', at });
const active = (session: string, at: number): ConnectionChange => ({ session, kind: 'active', at });
const kill = (host: string, at: number, ...sessions: readonly string[]): HostFault => ({
  kind: 'kill',
  host,
  at,
  sessions,
});

describe('a kill', () => {
  it('takes as long as the last of its sessions is away', () => {
    const connections = [closed('a', 1_001), active('a', 3_000), closed('b', 1_005), active('b', 5_000)];
    const { failover } = recoveries([kill('host-1', 1_000, 'a', 'b')], connections, HOSTS);
    expect(failover).toEqual({ plain: [4_000], interrupted: [] });
  });

  it('that is noticed late counts from when the connections closed', () => {
    const { failover } = recoveries([kill('host-1', 1_000, 'a')], [closed('a', 800), active('a', 3_000)], HOSTS);
    expect(failover.plain).toEqual([2_200]);
  });

  it('has no figure when it took nothing down: another host had the session, or it closed later', () => {
    const connections = [closed('a', 1_001), active('a', 3_000), closed('b', 4_000), active('b', 5_000)];
    const { failover, unrecovered } = recoveries([kill('host-1', 1_000, 'b')], connections, HOSTS);
    expect([failover, unrecovered]).toEqual([{ plain: [], interrupted: [] }, 0]);
  });

  it('leaves sessions behind that never come back', () => {
    expect(recoveries([kill('host-1', 1_000, 'a')], [closed('a', 1_001)], HOSTS).unrecovered).toBe(1);
  });
});

describe('a second kill before a session is back', () => {
  const connections = [closed('a', 1_000), active('a', 14_000), closed('b', 1_000), active('b', 4_000)];
  const first = kill('host-1', 1_000, 'a', 'b');

  it('makes it one of the interrupted, counted from the first, when it hits the host that had taken the session', () => {
    const { failover } = recoveries([first, kill('host-2', 6_000, 'a')], connections, HOSTS);
    expect(failover).toEqual({ plain: [3_000], interrupted: [13_000] });
  });

  it('does so too when no host is left that could have taken it', () => {
    const faults = [first, kill('host-2', 5_000), kill('host-3', 6_000)];
    expect(recoveries(faults, connections, HOSTS).failover).toEqual({ plain: [3_000], interrupted: [13_000] });
  });

  it('changes nothing when it hits somebody else, or comes when the session is back', () => {
    const faults = [first, kill('host-2', 5_000, 'c'), kill('host-2', 15_000, 'a')];
    expect(recoveries(faults, connections, HOSTS).failover).toEqual({ plain: [13_000], interrupted: [] });
  });

  it('excuses nothing that has taken too long already', () => {
    const late = [closed('a', 1_000), active('a', 40_000)];
    const faults = [first, kill('host-2', 30_000, 'a')];
    expect(recoveries(faults, late, HOSTS).failover).toEqual({ plain: [39_000], interrupted: [] });
  });
});

describe('a drain', () => {
  const drain: HostFault = { kind: 'drain', host: 'host-1', at: 100, endedAt: 3_000, sessions: ['a'] };
  const connections = [closed('a', 2_000), active('a', 2_700)];

  it('takes until the last session is back, of which each was away for a while', () => {
    const { drain: found, silence } = recoveries([drain], connections, HOSTS);
    expect([found, silence]).toEqual([{ plain: [2_600], interrupted: [] }, [700]]);
  });

  it('that is cut short by a kill is an interrupted one', () => {
    const { drain: found, silence } = recoveries([drain, kill('host-1', 2_500, 'a')], connections, HOSTS);
    expect([found, silence]).toEqual([{ plain: [], interrupted: [2_600] }, []]);
  });
});

describe('a stop', () => {
  it('has no figure, and interrupts what another fault took down, before it began or after', () => {
    const stop: HostFault = { kind: 'stop', host: 'host-2', at: 500, endedAt: 10_500, sessions: ['a'] };
    const connections = [closed('a', 1_000), active('a', 14_000)];
    const { failover, drain } = recoveries([stop, kill('host-1', 1_000, 'a')], connections, HOSTS);
    expect([failover.interrupted, drain.plain]).toEqual([[13_000], []]);
  });
});
