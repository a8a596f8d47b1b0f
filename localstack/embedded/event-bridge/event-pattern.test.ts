import { describe, expect, it } from 'vitest';
import { compileEventPattern, InvalidEventPatternError, parseEventPattern } from './event-pattern.ts';

type Case = readonly [name: string, pattern: unknown, event: unknown, matches: boolean];

const instance = {
  version: '0',
  id: '6a7e8feb',
  'detail-type': 'EC2 Instance State-change Notification',
  source: 'aws.ec2',
  account: '111122223333',
  time: '2017-12-22T18:43:48Z',
  region: 'us-west-1',
  resources: ['arn:aws:ec2:us-west-1:123456789012:instance/i-1', 'arn:aws:ec2:us-west-1:123456789012:instance/i-2'],
  detail: {
    'instance-id': 'i-1',
    state: 'terminated',
    empty: '',
    nothing: null,
    'c-count': 10,
    'd-count': 300.5,
    'source-ip': '10.0.0.9',
    ip6: '2001:db8::1',
    FileName: 'Report.PNG',
    FilePath: 'dir1/dir2/object*.png',
    flag: true,
    list: [],
    owners: [
      { name: 'ada', role: 'admin' },
      { name: 'bob', role: 'guest' },
    ],
    nested: { deep: { value: 'x' } },
  },
};

const detail = (pattern: unknown) => ({ detail: pattern });
const field = (name: string, candidate: unknown) => detail({ [name]: [candidate] });

const CASES: readonly Case[] = [
  ['one value', { source: ['aws.ec2'] }, instance, true],
  ['one of several values', detail({ state: ['stopped', 'terminated'] }), instance, true],
  ['another value', { source: ['aws.s3'] }, instance, false],
  ['all fields have to match', { source: ['aws.ec2'], region: ['eu-west-1'] }, instance, false],
  ['a value is matched in its case', { source: ['AWS.EC2'] }, instance, false],
  ['a field the event has not', { colour: ['blue'] }, instance, false],
  ['an inherited property is no field', { toString: [{ exists: true }] }, instance, false],
  ['an array in the event: any element', { resources: [instance.resources[1]] }, instance, true],
  ['an array in the event: none', { resources: ['arn:other'] }, instance, false],
  ['array of objects: one element has all', detail({ owners: { name: ['ada'], role: ['admin'] } }), instance, true],
  ['array of objects: not across elements', detail({ owners: { name: ['ada'], role: ['guest'] } }), instance, false],
  ['nested', detail({ nested: { deep: { value: ['x'] } } }), instance, true],
  ['empty string', field('empty', ''), instance, true],
  ['empty string is not null', field('empty', null), instance, false],
  ['null', field('nothing', null), instance, true],
  ['null is not absence', field('absent', null), instance, false],
  ['number', field('c-count', 10), instance, true],
  ['number in another spelling', detail(JSON.parse('{"c-count":[1.0e1]}')), instance, true],
  ['number is not its text', field('c-count', '10'), instance, false],
  ['boolean', field('flag', true), instance, true],
  ['boolean is not its text', field('flag', 'true'), instance, false],

  ['prefix', { time: [{ prefix: '2017-12-22' }] }, instance, true],
  ['prefix, another', { time: [{ prefix: '2018' }] }, instance, false],
  ['prefix of a number', field('c-count', { prefix: '1' }), instance, false],
  ['prefix ignoring case', { source: [{ prefix: { 'equals-ignore-case': 'AWS.' } }] }, instance, true],
  ['suffix', field('FileName', { suffix: '.PNG' }), instance, true],
  ['suffix in another case', field('FileName', { suffix: '.png' }), instance, false],
  ['suffix ignoring case', field('FileName', { suffix: { 'equals-ignore-case': '.png' } }), instance, true],
  ['equals ignoring case', field('FileName', { 'equals-ignore-case': 'report.png' }), instance, true],
  ['equals ignoring case, another', field('FileName', { 'equals-ignore-case': 'report' }), instance, false],

  ['anything but a value', field('state', { 'anything-but': 'initializing' }), instance, true],
  ['anything but this value', field('state', { 'anything-but': 'terminated' }), instance, false],
  ['anything but a number', field('c-count', { 'anything-but': 123 }), instance, true],
  ['anything but a list', field('state', { 'anything-but': ['stopped', 'overloaded'] }), instance, true],
  ['anything but a list with it', field('state', { 'anything-but': ['stopped', 'terminated'] }), instance, false],
  ['anything but a list of numbers', field('c-count', { 'anything-but': [10, 200] }), instance, false],
  ['anything but a prefix', field('state', { 'anything-but': { prefix: 'init' } }), instance, true],
  ['anything but this prefix', field('state', { 'anything-but': { prefix: 'term' } }), instance, false],
  ['anything but prefixes', field('state', { 'anything-but': { prefix: ['init', 'term'] } }), instance, false],
  ['anything but a suffix', field('FileName', { 'anything-but': { suffix: '.txt' } }), instance, true],
  ['anything but suffixes', field('FileName', { 'anything-but': { suffix: ['.txt', '.PNG'] } }), instance, false],
  [
    'anything but, ignoring case',
    field('state', { 'anything-but': { 'equals-ignore-case': 'TERMINATED' } }),
    instance,
    false,
  ],
  [
    'anything but a list, ignoring case',
    field('state', { 'anything-but': { 'equals-ignore-case': ['A', 'B'] } }),
    instance,
    true,
  ],
  ['anything but a wildcard', field('FilePath', { 'anything-but': { wildcard: '*/lib/*' } }), instance, true],
  ['anything but this wildcard', field('FilePath', { 'anything-but': { wildcard: ['*/dir2/*'] } }), instance, false],
  ['anything but needs the field', field('absent', { 'anything-but': 'x' }), instance, false],
  ['anything but: any element', { resources: [{ 'anything-but': instance.resources[0] }] }, instance, true],

  ['numeric range', field('c-count', { numeric: ['>', 0, '<=', 10] }), instance, true],
  ['numeric upper bound excluded', field('c-count', { numeric: ['>', 0, '<', 10] }), instance, false],
  ['numeric lower bound', field('d-count', { numeric: ['>=', 300.5] }), instance, true],
  ['numeric equality', field('d-count', { numeric: ['=', 3.005e2] }), instance, true],
  ['numeric of a string', field('state', { numeric: ['>', 0] }), instance, false],

  ['exists', field('state', { exists: true }), instance, true],
  ['exists, absent', field('absent', { exists: true }), instance, false],
  ['does not exist', field('absent', { exists: false }), instance, true],
  ['does not exist, present', field('state', { exists: false }), instance, false],
  ['null exists', field('nothing', { exists: true }), instance, true],
  ['an empty array holds nothing', field('list', { exists: false }), instance, true],
  ['only leaves exist', field('nested', { exists: true }), instance, false],
  ['absent below an absent object', detail({ gone: { field: [{ exists: false }] } }), instance, true],

  ['cidr', field('source-ip', { cidr: '10.0.0.0/24' }), instance, true],
  ['cidr outside', field('source-ip', { cidr: '10.0.1.0/24' }), instance, false],
  ['cidr of IPv6', field('ip6', { cidr: '2001:db8::/32' }), instance, true],
  ['cidr of no address', field('state', { cidr: '0.0.0.0/0' }), instance, false],

  ['wildcard', field('FilePath', { wildcard: 'dir1/*/object*.png' }), instance, true],
  ['wildcard anchored', field('FilePath', { wildcard: 'dir2/*' }), instance, false],
  ['wildcard with an escaped star', field('FilePath', { wildcard: '*/object\\*.png' }), instance, true],
  ['wildcard: a dot is a dot', field('FilePath', { wildcard: '*objectXXpng' }), instance, false],

  ['$or, first', detail({ $or: [{ state: ['terminated'] }, { 'c-count': [0] }] }), instance, true],
  ['$or, last', detail({ $or: [{ state: ['x'] }, { 'd-count': [{ numeric: ['>', 1] }] }] }), instance, true],
  ['$or, none', detail({ $or: [{ state: ['x'] }, { 'c-count': [0] }] }), instance, false],
  [
    '$or and a field beside it',
    detail({ state: ['x'], $or: [{ 'c-count': [10] }, { flag: [true] }] }),
    instance,
    false,
  ],
  ['$or at the top', { $or: [{ source: ['aws.s3'] }, { region: ['us-west-1'] }] }, instance, true],
  ['mixed candidates', detail({ state: ['x', { prefix: 'term' }, null] }), instance, true],
];

describe('a pattern', () => {
  it.each(CASES)('%s', (_name, pattern, event, matches) => {
    expect(compileEventPattern(pattern)(event)).toBe(matches);
  });
});

const INVALID: readonly (readonly [string, unknown])[] = [
  ['no object', 'source'],
  ['an array', []],
  ['no field', {}],
  ['a value outside an array', { source: 'aws.ec2' }],
  ['an empty array', { source: [] }],
  ['an empty object', { detail: {} }],
  ['an unknown operator', { source: [{ like: 'a' }] }],
  ['two operators', { source: [{ prefix: 'a', suffix: 'b' }] }],
  ['a nested array', { source: [['a']] }],
  ['prefix of a number', { source: [{ prefix: 1 }] }],
  ['exists of a text', { source: [{ exists: 'yes' }] }],
  ['numeric without operator', { source: [{ numeric: [5] }] }],
  ['numeric with unknown operator', { source: [{ numeric: ['!=', 5] }] }],
  ['numeric with a text', { source: [{ numeric: ['>', '5'] }] }],
  ['numeric, empty range', { source: [{ numeric: ['>', 5, '<', 1] }] }],
  ['numeric, upper bound first', { source: [{ numeric: ['<', 5, '>', 1] }] }],
  ['anything but nothing', { source: [{ 'anything-but': [] }] }],
  ['anything but exists', { source: [{ 'anything-but': { exists: true } }] }],
  ['cidr without bits', { source: [{ cidr: '10.0.0.0' }] }],
  ['cidr too long', { source: [{ cidr: '10.0.0.0/33' }] }],
  ['two stars', { source: [{ wildcard: 'a**b' }] }],
  ['escape of another character', { source: [{ wildcard: 'a\\b' }] }],
  ['$or of one', { $or: [{ source: ['a'] }] }],
];

describe('refuses', () => {
  it.each(INVALID)('%s', (_name, pattern) => {
    expect(() => compileEventPattern(pattern)).toThrow(InvalidEventPatternError);
  });

  it('text that is not JSON', () => {
    expect(() => parseEventPattern('{"source":')).toThrow(InvalidEventPatternError);
  });
});
