import { expect, it } from 'vitest';
import { needsRunner, type SessionWish } from './needs-runner.ts';

it.each<[Partial<SessionWish>, boolean]>([
  [{ desired: 'STOPPED' }, false],
  [{ desired: 'STOPPED', status: 'WORKING' }, true],
  [{ desired: 'STOPPED', logoutToken: 'l1' }, true],
  [{ desired: 'STOPPED', logoutToken: 'l1', logoutDone: 'l1' }, false],
  [{ desired: 'STOPPED', untold: null }, false],
  [{ desired: 'STOPPED', untold: 1 }, true],
  [{ desired: 'RUNNING' }, true],
  [{ desired: 'DELETED' }, true],
])('a stopped session that is %j needs a runner: %s', (changes, needed) => {
  expect(needsRunner({ desired: 'STOPPED', status: 'STOPPED', ...changes })).toBe(needed);
});
