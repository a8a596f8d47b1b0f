import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { standardSignature } from '#shared/domain/webhook-signature.ts';
import { type Post, Receiver } from './receivers.ts';
import { type Endpoint, judge, latencies, verifier, type Written } from './verdict.ts';

const hmacKey = 'k';
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const written = (seq: number, from = 'ada'): Written => ({ text: `${from} ${seq}`, from, seq, at: seq * 1000 });

function post({ text, at }: Written, status: number | null = 204, id = `evt_${text}`): Post {
  const raw = JSON.stringify({ id, event: 'message', payload: { body: text } });
  const seconds = Math.floor(Date.now() / 1000);
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': standardSignature([secret], id, seconds, raw),
    'x-webhook-hmac': createHmac('sha512', hmacKey).update(raw).digest('hex'),
  };
  return { at: at + 40, raw, status, headers, signed: verifier(hmacKey, secret)({ headers, raw }) };
}

function endpoint(fate: Endpoint['fate'], ...posts: readonly Post[]): Endpoint {
  const receiver = new Receiver('r');
  receiver.posts.push(...posts);
  return { receiver, hmacKey, secret, fate, ordered: true };
}

const [one, two, other] = [written(1), written(2), written(1, 'bob')];
const none = { lost: 0, badSignatures: 0, changedIds: 0, outOfOrder: 0 };

describe('the judge of webhooks', () => {
  it('finds nothing where everything arrived in order, however often it was tried', () => {
    const verdict = judge(
      [one, two, other],
      [
        endpoint('well', post(one, 500), post(one), post(other), post(one), post(two)),
        endpoint('dead', post(one, null)),
      ],
    );
    expect(verdict).toEqual({ faults: none, written: 3, delivered: 3, again: 1, tries: 6 });
  });

  it.each([
    ['lost', endpoint('faulty', post(one), post(other))],
    ['outOfOrder', endpoint('well', post(two), post(one), post(other))],
    ['changedIds', endpoint('well', post(one, 500, 'evt_x'), post(one), post(two), post(other))],
    ['badSignatures', endpoint('well', { ...post(one), signed: false }, post(one), post(two), post(other))],
  ])('sees what is %s', (fault, seen) => {
    expect(judge([one, two, other], [seen]).faults).toMatchObject({ [fault]: 1 });
  });

  it('asks for no order where the endpoint does not', () => {
    const unordered = { ...endpoint('well', post(two), post(one), post(other)), ordered: false };
    expect(judge([one, two, other], [unordered]).faults).toEqual(none);
  });

  it('believes the two signatures of the very body, and no others', () => {
    const { headers, raw } = post(one);
    expect(verifier(hmacKey, secret)({ headers, raw })).toBe(true);
    expect(verifier(hmacKey, secret)({ headers, raw: `${raw} ` })).toBe(false);
    expect(verifier('another', secret)({ headers, raw })).toBe(false);
    expect(verifier(hmacKey, `whsec_${Buffer.alloc(32, 8).toString('base64')}`)({ headers, raw })).toBe(false);
  });

  it('measures first arrivals of a time', () => {
    const well = endpoint('well', post(one, 500), post(one), post(two));
    expect(latencies([one, two], [well], [0, 1500])).toEqual([40]);
  });
});
