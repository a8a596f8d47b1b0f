import { setTimeout as delay } from 'node:timers/promises';
import type { HostProcesses } from '#localstack/embedded/host-processes.ts';
import type { AwsService, ChaosAction, ChaosKind } from './chaos-plan.ts';
import type { FaultProxy } from './fault-proxy.ts';
import type { Fleet } from './fleet.ts';
import { HostKiller } from './host-killer.ts';
import type { KillControl } from './kill-control.ts';
import type { HostFault, Ledger } from './ledger.ts';
import type { Caller } from './patient-caller.ts';

const POLL_MS = 50;
const DRAIN_DEADLINE_MS = 120_000;

export interface ChaosTargets {
  readonly hosts: HostProcesses;
  readonly control: KillControl;
  readonly fleet: Fleet;
  /** The simulator's admin API. */
  readonly whatsapp: Caller;
  readonly proxies: ReadonlyMap<AwsService, FaultProxy>;
  /** Phone numbers of the sessions; messages may be dropped only for `droppable`. */
  readonly phones: readonly string[];
  readonly droppable: readonly string[];
  readonly ledger: Ledger;
  readonly say: (line: string) => void;
}

/** Carries a plan out against real processes. */
export class ChaosActor {
  readonly killer: HostKiller;
  readonly #targets: ChaosTargets;
  /** Hosts that are being stopped or drained and should not get another signal of that sort. */
  readonly #busy = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #done: Record<ChaosKind, number> = { kill: 0, stop: 0, drain: 0, cut: 0, stanza: 0, aws: 0 };

  constructor(targets: ChaosTargets) {
    this.#targets = targets;
    this.killer = new HostKiller({
      ...targets,
      isBusy: (host) => this.#busy.has(host),
      killed: (host, at, sessions) => this.#note('kill', host, at, sessions),
      bringBack: (host, downMs) => this.#start(this.#bringBack(host, downMs)),
    });
  }

  /** How often each kind has happened. */
  get done(): Readonly<Record<ChaosKind, number>> {
    return this.#done;
  }

  /** Resolves when the plan is through and everything is as it should be: no fault armed, every host running. */
  async run(plan: readonly ChaosAction[], seconds: number): Promise<void> {
    const start = performance.now();
    for (const action of plan) {
      await delay(Math.max(0, action.at - (performance.now() - start)));
      this.#start(this.#perform(action));
    }
    await delay(Math.max(0, seconds * 1000 - (performance.now() - start)));
    await this.#calm();
  }

  #start(work: Promise<void>): void {
    const doing = work.finally(() => this.#underWay.delete(doing));
    this.#underWay.add(doing);
  }

  async #perform(action: ChaosAction): Promise<void> {
    switch (action.kind) {
      case 'kill':
        return this.killer.kill(action);
      case 'stop':
        return this.#stop(action.pick, action.forMs);
      case 'drain':
        return this.#drain(action.pick);
      case 'cut':
        return this.#fault(action.kind, { kind: 'cut', match: { phone: choose(this.#targets.phones, action.pick) } });
      case 'stanza': {
        const { fault, tag, count, ms } = action;
        const phone = choose(fault === 'drop' ? this.#targets.droppable : this.#targets.phones, action.pick);
        if (phone === undefined) return;
        return this.#fault(action.kind, {
          kind: fault,
          match: { phone, tag },
          count,
          ...(fault === 'delay' && { ms }),
        });
      }
      case 'aws':
        return this.#failCalls(action);
    }
  }

  /** The launcher starts it by itself after a growing pause; at the latest it is to run again after `downMs`. */
  async #bringBack(host: string, downMs: number): Promise<void> {
    const { hosts } = this.#targets;
    await delay(downMs);
    if (!hosts.pids().has(host)) await hosts.restart(host);
  }

  async #stop(pick: number, forMs: number): Promise<void> {
    const { hosts } = this.#targets;
    const host = this.#free(pick);
    if (host === undefined || !hosts.kill(host, 'SIGSTOP')) return;
    this.#busy.add(host);
    const pid = hosts.pids().get(host);
    const fault = await this.#note('stop', host, Date.now());
    await delay(forMs);
    fault.endedAt = Date.now();
    if (hosts.pids().get(host) === pid) hosts.kill(host, 'SIGCONT');
    this.#busy.delete(host);
  }

  async #drain(pick: number): Promise<void> {
    const { hosts } = this.#targets;
    const host = this.#free(pick);
    const pid = host === undefined ? undefined : hosts.pids().get(host);
    if (host === undefined || pid === undefined) return;
    this.#busy.add(host);
    const fault = await this.#note('drain', host, Date.now());
    hosts.kill(host, 'SIGTERM');
    const deadline = performance.now() + DRAIN_DEADLINE_MS;
    while (hosts.pids().get(host) === pid && performance.now() < deadline) await delay(POLL_MS);
    fault.endedAt = Date.now();
    this.#busy.delete(host);
    if (hosts.pids().get(host) === pid) this.#targets.say(`${host} did not drain in ${DRAIN_DEADLINE_MS / 1000} s`);
    else await this.#bringBack(host, 0);
  }

  async #fault(kind: 'cut' | 'stanza', fault: object): Promise<void> {
    this.#done[kind] += 1;
    await this.#targets.whatsapp.call('POST', '/admin/faults', fault);
  }

  async #failCalls(action: Extract<ChaosAction, { kind: 'aws' }>): Promise<void> {
    const proxy = this.#targets.proxies.get(action.service);
    if (proxy === undefined) return;
    const { failure, rate, delayMs } = action;
    this.#done.aws += 1;
    proxy.inject({ failure, rate, delayMs });
    await delay(action.forMs);
    proxy.inject(undefined);
  }

  async #calm(): Promise<void> {
    const { hosts, proxies, whatsapp } = this.#targets;
    for (const proxy of proxies.values()) proxy.inject(undefined);
    await whatsapp.call('DELETE', '/admin/faults');
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    for (const proxy of proxies.values()) proxy.inject(undefined);
    await whatsapp.call('DELETE', '/admin/faults');
    for (const host of hosts.pids().keys()) hosts.kill(host, 'SIGCONT');
  }

  #free(pick: number): string | undefined {
    return choose(
      [...this.#targets.hosts.pids().keys()].filter((host) => !this.#busy.has(host)),
      pick,
    );
  }

  async #note(kind: HostFault['kind'], host: string, at: number, before: readonly string[] = []): Promise<HostFault> {
    this.#done[kind] += 1;
    const { fleet, ledger } = this.#targets;
    const sessions = [...new Set([...before, ...(await fleet.sessionsOf(host))])];
    const fault: HostFault = { kind, host, at, sessions };
    ledger.hostFaults.push(fault);
    return fault;
  }
}

export const choose = <T>(items: readonly T[], pick: number): T | undefined => items[Math.floor(pick * items.length)];
