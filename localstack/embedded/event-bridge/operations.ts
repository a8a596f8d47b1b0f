import * as z from 'zod';
import { busArn, ruleArn } from '../aws-identity.ts';
import { EventBridgeError } from './event-bridge-error.ts';
import type { EventBuses } from './event-bus.ts';
import { InvalidEventPatternError, parseEventPattern } from './event-pattern.ts';
import { busNameOf } from './put-events.ts';
import { type Rule, targetSchema } from './rules.ts';
import { isKnownTarget } from './targets.ts';

/** One operation of the API: parsed JSON in, JSON out. */
export type Operation = (input: unknown) => unknown;

const name = z.string().regex(/^[.\-_A-Za-z0-9]+$/);
const bus = z.string().optional();

/** Every operation the local bus has, by the name in `X-Amz-Target`. */
export function createOperations(buses: EventBuses): Readonly<Record<string, Operation>> {
  return {
    PutEvents: (input) => {
      const outcomes = buses.putEvents(input);
      return {
        FailedEntryCount: outcomes.filter((outcome) => !outcome.accepted).length,
        Entries: outcomes.map((outcome) =>
          outcome.accepted ? { EventId: outcome.event.id } : { ErrorCode: outcome.code, ErrorMessage: outcome.message },
        ),
      };
    },

    TestEventPattern: operation(z.object({ EventPattern: z.string(), Event: z.string() }), (input) => {
      const matches = patternOf(input.EventPattern);
      return { Result: matches(parseEvent(input.Event)) };
    }),

    CreateEventBus: operation(z.object({ Name: name }), ({ Name }) => {
      buses.createBus(Name);
      return { EventBusArn: busArn(Name) };
    }),

    DescribeEventBus: operation(z.object({ Name: z.string().optional() }), ({ Name }) => {
      const busName = busNameOf(Name);
      if (!buses.hasBus(busName)) throw EventBridgeError.notFound(`Event bus ${busName}`);
      return { Name: busName, Arn: busArn(busName) };
    }),

    PutRule: operation(
      z.object({
        Name: name,
        EventPattern: z.string().optional(),
        ScheduleExpression: z.string().optional(),
        State: z.enum(['ENABLED', 'DISABLED']).optional(),
        Description: z.string().optional(),
        EventBusName: bus,
      }),
      (input) => {
        if (input.ScheduleExpression !== undefined || input.EventPattern === undefined) {
          throw EventBridgeError.validation('The local bus has rules with an event pattern only, no schedules.');
        }
        patternOf(input.EventPattern);
        const busName = busNameOf(input.EventBusName);
        buses.putRule({
          bus: busName,
          name: input.Name,
          pattern: input.EventPattern,
          enabled: input.State !== 'DISABLED',
          description: input.Description,
        });
        return { RuleArn: ruleArn(busName, input.Name) };
      },
    ),

    PutTargets: operation(
      z.object({ Rule: name, EventBusName: bus, Targets: z.array(targetSchema).min(1) }),
      ({ Rule, EventBusName, Targets }) => {
        const unknown = Targets.find((target) => !isKnownTarget(target.Arn));
        if (unknown !== undefined) {
          throw EventBridgeError.validation(`The local bus delivers to SQS queues and functions, not ${unknown.Arn}.`);
        }
        buses.putTargets(busNameOf(EventBusName), Rule, Targets);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
    ),

    RemoveTargets: operation(
      z.object({ Rule: name, EventBusName: bus, Ids: z.array(z.string()).min(1) }),
      ({ Rule, EventBusName, Ids }) => {
        buses.removeTargets(busNameOf(EventBusName), Rule, Ids);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
    ),

    DeleteRule: operation(z.object({ Name: name, EventBusName: bus }), ({ Name, EventBusName }) => {
      buses.deleteRule(busNameOf(EventBusName), Name);
      return {};
    }),

    ListRules: operation(
      z.object({ EventBusName: bus, NamePrefix: z.string().optional() }),
      ({ EventBusName, NamePrefix = '' }) => ({
        Rules: buses
          .rules(busNameOf(EventBusName))
          .filter((rule) => rule.name.startsWith(NamePrefix))
          .map(describeRule),
      }),
    ),

    ListTargetsByRule: operation(z.object({ Rule: name, EventBusName: bus }), ({ Rule, EventBusName }) => ({
      Targets: buses.rule(busNameOf(EventBusName), Rule).targets,
    })),
  };
}

function operation<T>(schema: z.ZodType<T>, run: (input: T) => unknown): Operation {
  return (input) => {
    const parsed = schema.safeParse(input);
    if (!parsed.success) throw EventBridgeError.validation(z.prettifyError(parsed.error));
    return run(parsed.data);
  };
}

function patternOf(text: string): ReturnType<typeof parseEventPattern> {
  try {
    return parseEventPattern(text);
  } catch (error) {
    if (error instanceof InvalidEventPatternError) throw new EventBridgeError(error.code, error.message);
    throw error;
  }
}

function parseEvent(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw EventBridgeError.validation('Event is not valid JSON.');
  }
}

const describeRule = (rule: Rule) => ({
  Name: rule.name,
  Arn: ruleArn(rule.bus, rule.name),
  EventPattern: rule.pattern,
  State: rule.enabled ? 'ENABLED' : 'DISABLED',
  Description: rule.description,
  EventBusName: rule.bus,
});
