import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseEventPattern } from '#localstack/embedded/event-bridge/event-pattern.ts';
import { CONTROL_SOURCE } from '#shared/contracts/fleet-events.ts';
import { EVENT_SOURCE } from '#shared/contracts/resources.ts';
import { eventEnvelope } from '../contracts/events.ts';
import { waMessage } from '../contracts/rows.ts';
import { type CliCall, hasJq, runWithCli } from './cli-stand-in.ts';

const OF_EVENTS = 'arn:aws:events:eu-central-1:123456789012:';
const QUEUE = 'arn:aws:sqs:eu-central-1:123456789012:incoming';
const FUNCTION = 'arn:aws:lambda:eu-central-1:123456789012:function:answer';
const DESTINATION = `${OF_EVENTS}api-destination/chat/0b1f`;
const ROLE = 'arn:aws:iam::123456789012:role/chat-destination';
const BUS = `${OF_EVENTS}event-bus/trunkline-dev`;
const ruleArn = (name: string) => `${OF_EVENTS}rule/trunkline-dev/${name}`;
const QUEUE_URL = 'https://sqs.eu-central-1.amazonaws.com/123456789012/incoming';

const ANSWERS = {
  'sqs create-queue': QUEUE_URL,
  'sqs get-queue-attributes': QUEUE,
  'events put-rule': ruleArn('*'),
  'events describe-rule': ruleArn('*'),
  'lambda get-function': FUNCTION,
  'events create-connection': `${OF_EVENTS}connection/chat/5c2d`,
  'events create-api-destination': DESTINATION,
  'iam create-role': ROLE,
  'events describe-event-bus': BUS,
  'events list-archives': 'of-the-bus',
};

const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block).join('\n');

/** What the page tells its reader to do, as AWS would be asked. What AWS makes of it was seen elsewhere: localstack/README.md. */
describe('the commands for rules of one’s own (Bash runs them)', () => {
  const calls = runWithCli(commands, ANSWERS, { TOKEN: 'secret-1' });
  const all = (operation: string) => calls.filter((call) => call.operation === operation);
  const optionsOf = (operation: string): CliCall['options'] => {
    const [call, ...more] = all(operation);
    expect([call !== undefined, more], operation).toEqual([true, []]);
    return call?.options ?? {};
  };
  const patterns = all('events put-rule').map(
    ({ options }) => [options.name, parseEventPattern(options['event-pattern'] ?? '')] as const,
  );
  const targetsOf = (rule: string) =>
    all('events put-targets').find(({ options }) => options.rule === rule)?.options.targets ?? '';

  const message = (session: string, chatId: string, body: string) =>
    eventEnvelope({ event: 'message', payload: waMessage({ id: 'AAAA1', chatId, body }) }, { session });
  const status = (name: 'FAILED' | 'WORKING') =>
    eventEnvelope({
      event: 'session.status',
      payload: { name: 'alpha', status: name, statuses: [{ status: name, timestamp: 1 }], data: {} },
    });
  const own = eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAA2', body: '/help', fromMe: true }) });

  it.each([
    ['who asks in a private chat', message('support', '4915100000001@c.us', '/help'), ['incoming', 'asks']],
    ['who does not ask', message('support', '4915100000001@c.us', 'help'), ['incoming']],
    ['who asks in a group', message('support', '123-456@g.us', '/help'), ['incoming']],
    ['who asks another session', message('sales', '4915100000001@c.us', '/help'), ['incoming']],
    ['what is sent', own, []],
    ['a session that failed', status('FAILED'), ['failed']],
    ['a session that works', status('WORKING'), []],
  ])('match %s', (_what, detail, expected) => {
    const event = (source: string) => ({ source, 'detail-type': detail.event, detail });
    const matching = (source: string) => patterns.flatMap(([name, matches]) => (matches(event(source)) ? [name] : []));
    expect(matching(EVENT_SOURCE)).toEqual(expected);
    expect(matching(CONTROL_SOURCE)).toEqual([]);
  });

  it('put every rule on the installation’s bus', () => {
    const buses = [...all('events put-rule'), ...all('events put-targets')].map(
      ({ options }) => options['event-bus-name'],
    );
    expect(buses).toEqual(Array.from({ length: 6 }, () => 'trunkline-dev'));
  });

  it.skipIf(!hasJq)('let the rule, and nobody else, write to the queue (with jq)', () => {
    const { attributes = '', 'queue-url': url } = optionsOf('sqs set-queue-attributes');
    const { Policy } = z.strictObject({ Policy: z.string() }).parse(JSON.parse(attributes));
    expect(url).toBe(QUEUE_URL);
    expect(JSON.parse(Policy)).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: QUEUE,
          Condition: { ArnEquals: { 'aws:SourceArn': ruleArn('incoming') } },
        },
      ],
    });
    expect(targetsOf('incoming')).toBe(`Id=queue,Arn=${QUEUE}`);
  });

  it('let the rule, and nobody else, call the function', () => {
    expect(optionsOf('lambda add-permission')).toEqual({
      'function-name': 'answer',
      'statement-id': 'trunkline',
      action: 'lambda:InvokeFunction',
      principal: 'events.amazonaws.com',
      'source-arn': ruleArn('asks'),
    });
    expect(targetsOf('asks')).toBe(`Id=function,Arn=${FUNCTION}`);
  });

  it.skipIf(!hasJq)('make a role that may call the one destination, for the one rule (with jq)', () => {
    const trust = optionsOf('iam create-role')['assume-role-policy-document'] ?? '';
    const rights = optionsOf('iam put-role-policy');
    expect(JSON.parse(trust)).toMatchObject({
      Statement: [{ Action: 'sts:AssumeRole', Condition: { ArnEquals: { 'aws:SourceArn': ruleArn('failed') } } }],
    });
    expect(`role/${rights['role-name']}`).toBe(ROLE.split(':').at(-1));
    expect(JSON.parse(rights['policy-document'] ?? '')).toMatchObject({
      Statement: [{ Effect: 'Allow', Action: 'events:InvokeApiDestination', Resource: DESTINATION }],
    });
  });

  it.skipIf(!hasJq)('tell the destination in a sentence which session it is (with jq)', () => {
    expect(optionsOf('events create-connection')['auth-parameters']).toContain('ApiKeyValue=Bearer secret-1}');
    const transformed = z.object({
      Arn: z.literal(DESTINATION),
      RoleArn: z.literal(ROLE),
      InputTransformer: z.object({
        InputPathsMap: z.strictObject({ session: z.literal('$.detail.session') }),
        InputTemplate: z.string(),
      }),
    });
    const [target] = z.tuple([transformed]).parse(JSON.parse(targetsOf('failed')));
    const text = target.InputTransformer.InputTemplate.replaceAll('<session>', status('FAILED').session);
    expect(JSON.parse(text)).toEqual({ text: 'alpha is FAILED' });
  });

  it('replay the bus’s archive to the one rule', () => {
    expect(optionsOf('events list-archives')['event-source-arn']).toBe(BUS);
    const { destination, ...replay } = optionsOf('events start-replay');
    expect(replay['event-source-arn']).toBe(`${OF_EVENTS}archive/of-the-bus`);
    expect(destination).toBe(`Arn=${BUS},FilterArns=${ruleArn('incoming')}`);
    expect(Date.parse(replay['event-start-time'] ?? '')).toBeLessThan(Date.parse(replay['event-end-time'] ?? ''));
  });
});
