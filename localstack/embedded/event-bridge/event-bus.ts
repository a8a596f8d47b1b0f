import { ruleArn } from '../aws-identity.ts';
import type { Clock } from '../clock.ts';
import type { DeliveryDispatcher } from './delivery-dispatcher.ts';
import { EventBridgeError } from './event-bridge-error.ts';
import { type EventMatcher, parseEventPattern } from './event-pattern.ts';
import type { EventStore, NewDelivery } from './event-store.ts';
import { type BusEvent, busEvent, type EntryOutcome, type EventContent, parsePutEvents } from './put-events.ts';
import type { Rule, Target } from './rules.ts';

const MAX_TARGETS = 5;

interface CompiledRule {
  readonly rule: Rule;
  readonly matches: EventMatcher;
}

/** Buses with their rules: takes events, keeps them safe, hands them to the dispatcher. */
export class EventBuses {
  readonly #store: EventStore;
  readonly #dispatcher: DeliveryDispatcher;
  readonly #clock: Clock;
  readonly #buses: Map<string, Map<string, CompiledRule>>;

  constructor(store: EventStore, dispatcher: DeliveryDispatcher, clock: Clock) {
    this.#store = store;
    this.#dispatcher = dispatcher;
    this.#clock = clock;
    this.#buses = new Map(['default', ...store.buses()].map((name) => [name, new Map()]));
    for (const rule of store.rules()) {
      this.#buses.get(rule.bus)?.set(rule.name, { rule, matches: parseEventPattern(rule.pattern) });
    }
  }

  /** When it returns, every accepted event is stored for every target whose rule it matches. */
  putEvents(input: unknown): readonly EntryOutcome[] {
    const now = this.#clock.now();
    const outcomes = parsePutEvents(input, new Set(this.#buses.keys()), now);
    const deliveries = outcomes.flatMap((outcome) =>
      outcome.accepted ? this.#deliveriesOf(outcome.bus, outcome.event, now) : [],
    );
    if (deliveries.length > 0) this.#dispatcher.dispatch(this.#store.addDeliveries(deliveries));
    return outcomes;
  }

  /** An event of one of AWS's own services, which nobody else may put: they come on the default bus. */
  takeServiceEvent(content: EventContent): void {
    const now = this.#clock.now();
    const deliveries = this.#deliveriesOf('default', busEvent(content, now), now);
    if (deliveries.length > 0) this.#dispatcher.dispatch(this.#store.addDeliveries(deliveries));
  }

  createBus(name: string): void {
    if (this.#buses.has(name)) {
      throw new EventBridgeError('ResourceAlreadyExistsException', `Event bus ${name} already exists.`);
    }
    this.#store.addBus(name);
    this.#buses.set(name, new Map());
  }

  hasBus(name: string): boolean {
    return this.#buses.has(name);
  }

  /** Creates a rule, or changes all of it but its targets. */
  putRule(rule: Omit<Rule, 'targets'>): void {
    const targets = this.#rulesOf(rule.bus).get(rule.name)?.rule.targets ?? [];
    this.#save({ ...rule, targets });
  }

  /** Adds targets; one with the same id is replaced. */
  putTargets(bus: string, name: string, added: readonly Target[]): void {
    const rule = this.rule(bus, name);
    const ids = new Set(added.map((target) => target.Id));
    const targets = [...rule.targets.filter((target) => !ids.has(target.Id)), ...added];
    if (targets.length > MAX_TARGETS) {
      throw new EventBridgeError('LimitExceededException', `A rule has at most ${MAX_TARGETS} targets.`);
    }
    this.#save({ ...rule, targets });
  }

  removeTargets(bus: string, name: string, ids: readonly string[]): void {
    const rule = this.rule(bus, name);
    this.#save({ ...rule, targets: rule.targets.filter((target) => !ids.includes(target.Id)) });
  }

  deleteRule(bus: string, name: string): void {
    const targets = this.#rulesOf(bus).get(name)?.rule.targets ?? [];
    if (targets.length > 0) throw EventBridgeError.validation("Rule can't be deleted since it has targets.");
    this.#store.removeRule(bus, name);
    this.#rulesOf(bus).delete(name);
  }

  rule(bus: string, name: string): Rule {
    const found = this.#rulesOf(bus).get(name);
    if (found === undefined) throw EventBridgeError.notFound(`Rule ${name} on event bus ${bus}`);
    return found.rule;
  }

  rules(bus: string): readonly Rule[] {
    return [...this.#rulesOf(bus).values()].map(({ rule }) => rule);
  }

  #save(rule: Rule): void {
    const matches = parseEventPattern(rule.pattern);
    this.#store.saveRule(rule);
    this.#rulesOf(rule.bus).set(rule.name, { rule, matches });
  }

  #rulesOf(bus: string): Map<string, CompiledRule> {
    const rules = this.#buses.get(bus);
    if (rules === undefined) throw EventBridgeError.notFound(`Event bus ${bus}`);
    return rules;
  }

  #deliveriesOf(bus: string, event: BusEvent, acceptedAt: number): readonly NewDelivery[] {
    const matching = [...this.#rulesOf(bus).values()].filter(({ rule, matches }) => rule.enabled && matches(event));
    if (matching.length === 0) return [];
    const text = JSON.stringify(event);
    return matching.flatMap(({ rule }) =>
      rule.targets.map((target) => ({
        ruleArn: ruleArn(bus, rule.name),
        target,
        eventId: event.id,
        event: text,
        acceptedAt,
      })),
    );
  }
}
