import { describe, expect, it } from 'vitest';
import { publicUrlSchema } from './public-url.ts';

describe('the public address of an installation', () => {
  it.each([
    ['https://wa.example.com', 'https://wa.example.com'],
    ['https://wa.example.com/', 'https://wa.example.com'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['http://[::1]:3000/', 'http://[::1]:3000'],
    ['https://example.com/wa/v1//', 'https://example.com/wa/v1'],
  ])('can be %s', (text, address) => {
    expect(publicUrlSchema.parse(text)).toBe(address);
  });

  it.each([
    undefined,
    '',
    'wa.example.com',
    '/v1',
    'ftp://wa.example.com',
    'https://',
    'https://user@wa.example.com',
    'https://:secret@wa.example.com',
    'https://wa.example.com/?key=1',
    'https://wa.example.com/#top',
  ])('cannot be %s', (text) => {
    expect(publicUrlSchema.safeParse(text).error?.issues).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/^must be /) }),
    ]);
  });
});
