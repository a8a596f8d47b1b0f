import { describe, expect, it } from 'vitest';
import { faultNamed, faultsOf, judge } from './judge.ts';
import type { Arrival, ConnectionChange, Decrypted, Facts, Taken } from './ledger.ts';

const SESSION = 'session-1';
const CONTACT = '491700';

const sendOut = (seq: number) => ({
  id: `OUT${seq}`,
  stream: 'out',
  seq,
  text: `out ${seq}`,
  session: SESSION,
  jobId: `job${seq}`,
  recipients: [CONTACT],
});
const decrypted = (n: number, id = `OUT${n}`, text = `out ${n}`): Decrypted => ({ phone: CONTACT, n, id, text });
const sendIn = (seq: number) => ({ id: `IN${seq}`, stream: 'in', seq, text: `in ${seq}`, sessions: [SESSION] });
const taken = (n: number, first = n, last = first): Taken => ({
  session: SESSION,
  id: `IN${n}`,
  how: 'receipt',
  first,
  last,
});
const arrived = (n: number, more: Partial<Arrival> = {}): Arrival => ({
  session: SESSION,
  event: 'message',
  eventId: `evt_${n}`,
  seq: n,
  messageId: `IN${n}`,
  text: `in ${n}`,
  ...more,
});
const status = (seq: number, word: string): Arrival => ({
  session: SESSION,
  event: 'session.status',
  eventId: `status_${seq}`,
  seq,
  status: word,
});

/** Three messages each way, all well. */
const GOOD: Facts = {
  accepted: [1, 2, 3].map(sendOut),
  sentIn: [1, 2, 3].map(sendIn),
  decrypted: [1, 2, 3].map((n) => decrypted(n)),
  repeats: [],
  taken: [1, 2, 3].map((n) => taken(n)),
  dropped: new Set(),
  arrivals: [1, 2, 3].map((n) => arrived(n)),
  connections: [],
  hostFaults: [],
  hosts: 2,
  unlogged: [],
  asked: [],
  reused: [],
  pairings: 0,
  crashes: 0,
};

const figures = (change: Partial<Facts>) => judge({ ...GOOD, ...change }).verdict;
const faults = (change: Partial<Facts>) => faultsOf(figures(change));

describe('a good run', () => {
  it('has no faults, and its messages are counted', () => {
    expect(faults({})).toEqual([]);
    expect(figures({})).toMatchObject({ accepted: 3, delivered: 3, sentIn: 3, ackedIn: 3, events: 3 });
  });

  it('may have events that arrive twice under one id, in any order of arrival', () => {
    const arrivals = [arrived(3), arrived(1), arrived(2), arrived(1)];
    expect(faults({ arrivals })).toEqual([]);
    expect(figures({ arrivals })).toMatchObject({ events: 3, dupInRaw: 1 });
  });

  it('may miss what a fault swallowed', () => {
    const change = {
      dropped: new Set([`${SESSION} IN2`]),
      taken: [taken(1), taken(3)],
      arrivals: [arrived(1), arrived(3)],
    };
    expect(faults(change)).toEqual([]);
  });

  it('may deliver in the order in which the server did', () => {
    const overtaken = [taken(1, 1), taken(2, 3), taken(3, 2)];
    const arrivals = [arrived(1), arrived(3, { seq: 2 }), arrived(2, { seq: 3 })];
    expect(faults({ taken: overtaken, arrivals })).toEqual([]);
  });

  it('may repeat to everybody what somebody asked for again', () => {
    expect(faults({ repeats: [{ phone: CONTACT, id: 'OUT1', asked: true }] })).toEqual([]);
  });
});

describe('a bad run', () => {
  const CASES: readonly [string, Partial<Facts>, readonly string[]][] = [
    ['an accepted send never comes', { decrypted: [decrypted(1), decrypted(3)] }, ['lostOut']],
    ['one of two recipients gets nothing', { accepted: [{ ...sendOut(1), recipients: [CONTACT, '2'] }] }, ['lostOut']],
    ['the same id is decrypted twice', { repeats: [{ phone: CONTACT, id: 'OUT1', asked: false }] }, ['dupOut']],
    [
      'the same text comes under another id',
      { decrypted: [...GOOD.decrypted, decrypted(4, 'OTHER', 'out 1')] },
      ['dupOut'],
    ],
    ['a taken message has no event', { arrivals: [arrived(1), arrived(3)] }, ['lostIn']],
    [
      'a message has two events',
      { arrivals: [...GOOD.arrivals, arrived(4, { messageId: 'IN1', text: 'in 1' })] },
      ['dupIn', 'reordered'],
    ],
    ['nobody takes a message', { taken: [taken(1), taken(2)], arrivals: [arrived(1), arrived(2)] }, ['untakenIn']],
    [
      'events are in another order than the messages',
      { arrivals: [arrived(1), arrived(3, { seq: 2 }), arrived(2, { seq: 3 })] },
      ['reordered'],
    ],
    [
      'sends come in another order',
      { decrypted: [decrypted(1), decrypted(3, 'OUT2', 'out 2'), decrypted(2, 'OUT3', 'out 3')] },
      ['reordered'],
    ],
    [
      'a text changes on its way in',
      { arrivals: [arrived(1), arrived(2, { text: 'in 1' }), arrived(3)] },
      ['corrupted'],
    ],
    [
      'two events have one number',
      { arrivals: [arrived(1), arrived(2), arrived(3), status(3, 'WORKING')] },
      ['seqClashes'],
    ],
    ['an event is told of and not in the log', { unlogged: ['s1 evt_1'] }, ['unlogged']],
    [
      'a session asks for a QR code again',
      { arrivals: [...GOOD.arrivals, status(4, 'WORKING'), status(5, 'SCAN_QR_CODE')] },
      ['qrAgain'],
    ],
    ['a pairing is begun that left no event', { pairings: 1 }, ['qrAgain']],
    ['a contact cannot decrypt something', { asked: ['491700 OUT1'] }, ['undecryptable']],
    [
      'a client asks for something again',
      { taken: [{ ...taken(1), how: 'retry' }, taken(2), taken(3)] },
      ['undecryptable'],
    ],
    ['a key encrypts two things', { reused: ['session-1 OUT1'] }, ['counterReuse']],
    ['a host ends by itself', { crashes: 1 }, ['crashes']],
    [
      'a login pushes out a live one',
      { connections: [{ session: SESSION, kind: 'replaced', at: 1, silentMs: 100 }] },
      ['twoOwners'],
    ],
    [
      'somebody who was pushed out goes on',
      {
        connections: [
          { session: SESSION, kind: 'replaced', at: 1, silentMs: 9_000 },
          { session: SESSION, kind: 'late', at: 2, tag: 'message' },
          { session: SESSION, kind: 'late', at: 3, tag: 'receipt' },
        ],
      },
      ['twoOwners'],
    ],
    [
      'a session does not come back after a kill',
      {
        hostFaults: [{ kind: 'kill', host: 'host-1', at: 100, sessions: [SESSION] }],
        connections: [{ session: SESSION, kind: 'closed', at: 110 }],
      },
      ['unrecovered'],
    ],
  ];
  it.each(CASES)('%s', (_what, change, expected) => {
    expect(faults(change)).toEqual(expected);
  });

  it('has only figures that exist', () => {
    expect(faultNamed('counterReuse')).toBe('counterReuse');
    expect(() => faultNamed('accepted')).toThrow('There is no figure accepted that should be 0');
  });

  it('names what is missing', () => {
    const { evidence } = judge({ ...GOOD, decrypted: [], arrivals: [] });
    expect(evidence.lostOut[0]).toBe('session-1 OUT1 job1');
    expect(evidence.lostIn).toEqual(['session-1 IN1', 'session-1 IN2', 'session-1 IN3']);
  });
});

describe('a login that pushes out a silent one', () => {
  it('is a take-over from a stopped host, and its keep-alives do not count', () => {
    const connections: readonly ConnectionChange[] = [
      { session: SESSION, kind: 'replaced', at: 1, silentMs: 9_000 },
      { session: SESSION, kind: 'late', at: 2, tag: 'iq' },
    ];
    expect(faults({ connections })).toEqual([]);
  });
});
