import { describe, expect, it } from 'vitest';
import { baseUrlOf } from './base-url.ts';

const event = (headers: Record<string, string>) => ({ headers, requestContext: { stage: 'prod' } });

describe('the address of the API', () => {
  it.each([
    [{ Host: '127.0.0.1:3000' }, 'http://127.0.0.1:3000'],
    [{ host: 'localhost:3000', 'x-forwarded-proto': 'http' }, 'http://localhost:3000'],
    [{ Host: 'wa.example.com' }, 'https://wa.example.com'],
    [{ Host: 'wa.example.com', 'X-Forwarded-Proto': 'http, https' }, 'http://wa.example.com'],
    [{ Host: 'abc.execute-api.eu-west-1.amazonaws.com' }, 'https://abc.execute-api.eu-west-1.amazonaws.com/prod'],
    [{ Host: 'evil"><script>' }, 'http://localhost'],
  ])('for %j is %s', (headers, expected) => {
    expect(baseUrlOf(event(headers), undefined)).toBe(expected);
  });

  it('is the configured one where there is one', () => {
    expect(baseUrlOf(event({ Host: 'other' }), 'https://wa.example.com')).toBe('https://wa.example.com');
  });
});
