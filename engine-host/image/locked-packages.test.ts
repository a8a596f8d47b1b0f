import { expect, it } from 'vitest';
import { lockedPackages } from './locked-packages.ts';

const locked = {
  '': { dependencies: { a: '1', z: '1' } },
  'node_modules/a': { dependencies: { b: '1' }, optionalDependencies: { '@native/x': '1' } },
  'node_modules/a/node_modules/b': { version: '1.0.0', dependencies: { c: '1' } },
  'node_modules/b': { version: '2.0.0' },
  'node_modules/c': { dependencies: { b: '2' } },
  'node_modules/@native/x': { os: ['linux'] },
  'node_modules/z': {},
};

it('takes what is needed, nested as it is, and nothing else', () => {
  expect(Object.keys(lockedPackages(['a'], locked)).sort()).toEqual([
    'node_modules/@native/x',
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/b',
    'node_modules/c',
  ]);
});

it('refuses a lock file that lacks something', () => {
  const { 'node_modules/c': _c, ...without } = locked;
  expect(() => lockedPackages(['a'], without)).toThrow('has no c for node_modules/a/node_modules/b');
});
