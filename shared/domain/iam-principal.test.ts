import { describe, expect, it } from 'vitest';
import { iamEntryId, iamPrincipal } from './iam-principal.ts';

const ROLE = 'arn:aws:iam::123456789012:role/Support';

describe('who signed', () => {
  it.each([
    ['arn:aws:sts::123456789012:assumed-role/Support/ada', ROLE],
    ['arn:aws:sts::123456789012:assumed-role/Support/i-0abc', ROLE],
    [ROLE, ROLE],
    ['arn:aws:iam::123456789012:role/teams/eu/Support', ROLE],
    ['arn:aws-cn:sts::123456789012:assumed-role/Support/ada', 'arn:aws-cn:iam::123456789012:role/Support'],
    ['arn:aws:iam::123456789012:user/teams/ada', 'arn:aws:iam::123456789012:user/teams/ada'],
    ['arn:aws:iam::123456789012:root', 'arn:aws:iam::123456789012:root'],
    ['arn:aws:sts::123456789012:federated-user/ada', 'arn:aws:sts::123456789012:federated-user/ada'],
  ])('%s is %s', (arn, principal) => {
    expect(iamPrincipal(arn)).toBe(principal);
  });

  it.each([
    'ada',
    'arn:aws:iam::123456789012:group/all',
    'arn:aws:sts::123456789012:assumed-role/',
    'arn:aws:iam::123456789012:role/',
    'arn:aws:iam::12:role/Support',
    'arn:aws:s3:::bucket',
    `${ROLE}\n`,
  ])('%j is nobody', (arn) => {
    expect(iamPrincipal(arn)).toBeUndefined();
  });

  it('has a row of its own', () => {
    expect(iamEntryId(ROLE)).toMatch(/^key_id_[0-9a-f]{26}$/);
    expect(iamEntryId(ROLE)).not.toBe(iamEntryId(`${ROLE}s`));
  });
});
