import { expect, it } from 'vitest';
import { isIgnored } from './docker-context.ts';
import { parseDockerfile } from './dockerfile.ts';

it('the last pattern of a .dockerignore that matches a path, or a folder above it, decides', () => {
  const patterns = [
    { glob: '*', takesBack: false },
    { glob: 'shared', takesBack: true },
    { glob: '**/*.test.ts', takesBack: false },
  ];
  const ignored = (path: string) => isIgnored(path, patterns);
  expect(['secrets.txt', 'shared/x/y.ts', 'shared/x/y.test.ts', 'other/shared/y.ts'].map(ignored)).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

it('a Dockerfile is stages of instructions, continuations joined, comments dropped', () => {
  const text = 'ARG A=1\nFROM --platform=$X base AS one\n# no\nRUN a \\\n  && b\n\nFROM two\nCOPY --from=one /a /b\n';
  expect(parseDockerfile(text)).toEqual([
    { name: 'one', base: 'base', instructions: [{ keyword: 'RUN', options: {}, text: 'a && b' }] },
    { name: 'stage 1', base: 'two', instructions: [{ keyword: 'COPY', options: { from: 'one' }, text: '/a /b' }] },
  ]);
});
