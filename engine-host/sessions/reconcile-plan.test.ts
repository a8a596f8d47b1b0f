import { describe, expect, it } from 'vitest';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { engineConfiguration, isHalted, nextStep, type ReconcileStep, type RunnerFacts } from './reconcile-plan.ts';

const config = { client: { deviceName: 'Desk' } };
const running: RunnerFacts = {
  status: 'WORKING',
  runningWith: engineConfiguration(config),
  halted: false,
  restartDone: undefined,
  logoutDone: undefined,
};
const stopped: RunnerFacts = { ...running, status: 'STOPPED', runningWith: undefined };
const failed: RunnerFacts = { ...running, status: 'FAILED', runningWith: undefined, halted: true };

describe('nextStep', () => {
  it.each<[SessionRow['desired'], Partial<SessionRow>, RunnerFacts, ReconcileStep]>([
    ['RUNNING', {}, stopped, 'start'],
    ['RUNNING', {}, running, 'settled'],
    ['RUNNING', {}, failed, 'settled'],
    ['RUNNING', { restartToken: 'r1' }, running, 'restart'],
    ['RUNNING', { restartToken: 'r1' }, failed, 'restart'],
    ['RUNNING', { restartToken: 'r1' }, stopped, 'restart'],
    ['RUNNING', { restartToken: 'r1' }, { ...running, restartDone: 'r1' }, 'settled'],
    ['RUNNING', { restartToken: 'r2' }, { ...running, restartDone: 'r1' }, 'restart'],
    ['RUNNING', { logoutToken: 'l1' }, running, 'logout'],
    ['RUNNING', { logoutToken: 'l1' }, { ...stopped, logoutDone: 'l1' }, 'start'],
    ['RUNNING', { logoutToken: 'l1', restartToken: 'r1' }, running, 'logout'],
    ['RUNNING', { config: { client: { deviceName: 'Shop' } } }, running, 'restart'],
    ['RUNNING', { config: { ...config, metadata: { a: 'b' }, webhooks: [] } }, running, 'settled'],
    ['STOPPED', {}, running, 'stop'],
    ['STOPPED', {}, failed, 'stop'],
    ['STOPPED', {}, { ...running, status: 'STARTING', runningWith: undefined }, 'stop'],
    ['STOPPED', {}, stopped, 'settled'],
    ['STOPPED', { restartToken: 'r1' }, stopped, 'settled'],
    ['STOPPED', { logoutToken: 'l1' }, stopped, 'logout'],
    ['STOPPED', { logoutToken: 'l1' }, { ...stopped, logoutDone: 'l1' }, 'settled'],
    ['DELETED', { logoutToken: 'l1' }, running, 'remove'],
    ['DELETED', {}, stopped, 'remove'],
  ])('wanted %s %j', (desired, wanted, facts, step) => {
    expect(nextStep({ config, desired, ...wanted }, facts)).toBe(step);
  });
});

describe('engineConfiguration', () => {
  it('does not depend on the order of fields', () => {
    const one = engineConfiguration({ debug: true, ignore: { status: true, groups: false } });
    expect(engineConfiguration({ ignore: { groups: false, status: true }, debug: true })).toBe(one);
  });
});

describe('isHalted', () => {
  it('keeps failures that a new host would only repeat', () => {
    expect(isHalted({ status: 'FAILED', statusReason: 'logged-out' })).toBe(true);
    expect(isHalted({ status: 'FAILED', statusReason: 'engine-crashed' })).toBe(false);
    expect(isHalted({ status: 'STARTING', statusReason: 'logged-out' })).toBe(false);
  });
});
