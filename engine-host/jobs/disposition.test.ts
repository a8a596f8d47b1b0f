import { describe, expect, it } from 'vitest';
import { waitSeconds } from './disposition.ts';

describe('waitSeconds', () => {
  it('grows from 2 to 30 seconds, and is patient in the end', () => {
    expect([1, 2, 3, 4, 5, 100, 101].map(waitSeconds)).toEqual([2, 4, 8, 16, 30, 30, 120]);
  });
});
