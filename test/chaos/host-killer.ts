import { setTimeout as delay } from 'node:timers/promises';
import type { HostProcesses } from '#localstack/embedded/host-processes.ts';
import type { ChaosAction } from './chaos-plan.ts';
import type { Fleet } from './fleet.ts';
import type { KillControl } from './kill-control.ts';
import { CALLS_OF_A_DRAIN, CALLS_OF_A_START, callOf, type KillPoint } from './kill-points.ts';

const POLL_MS = 20;
const LOOK_MS = 100;
/** A point that is not reached by then is given up, and the host killed where it is. */
const REACH_MS = 5_000;
/** How long to look for a host with sessions before any other will do. */
const OWNER_PATIENCE_MS = 3_000;

export interface HostKillerPorts {
  readonly hosts: HostProcesses;
  readonly control: KillControl;
  readonly fleet: Fleet;
  /** The host is stopped or draining. */
  readonly isBusy: (host: string) => boolean;
  /** A host was killed at this time, ms since 1970; `sessions`: what it had when it was chosen. */
  readonly killed: (host: string, at: number, sessions: readonly string[]) => Promise<unknown>;
  readonly bringBack: (host: string, downMs: number) => void;
}

type Kill = Extract<ChaosAction, { kind: 'kill' }>;

/** Kills hosts, wherever they are or at the point that is asked for. */
export class HostKiller {
  readonly #ports: HostKillerPorts;
  /** Hosts for which somebody waits to kill them. */
  readonly #marked = new Set<string>();
  readonly #ended = new Map<string, { readonly at: number; readonly killed: boolean }>();
  /** Points of the kills, in order; those that were not reached. */
  readonly reached: KillPoint[] = [];
  readonly missed: KillPoint[] = [];

  constructor(ports: HostKillerPorts) {
    this.#ports = ports;
  }

  /** To be called when a process of a host has ended. */
  ended(host: string, signal: NodeJS.Signals | null): void {
    this.#ended.set(host, { at: Date.now(), killed: signal === 'SIGKILL' });
  }

  /** Resolves when a host has been killed. */
  async kill({ pick, downMs, owner, point }: Kill): Promise<void> {
    for (let wished = point; ; wished = undefined) {
      const host = await this.#choose(pick, owner, wished);
      this.#marked.add(host);
      const sessions = await this.#ports.fleet.sessionsOf(host);
      const end = await this.#end(host, wished).finally(() => this.#marked.delete(host));
      if (end !== 'by-itself') {
        if (point !== undefined) (end === 'at-point' ? this.reached : this.missed).push(point);
        await this.#ports.killed(host, this.#ended.get(host)?.at ?? Date.now(), sessions);
        this.#ports.bringBack(host, downMs);
        return;
      }
    }
  }

  /** How the host has ended. It may have drained, or crashed, before it could be killed. */
  async #end(host: string, point: KillPoint | undefined): Promise<'at-point' | 'killed' | 'by-itself'> {
    const { hosts, control } = this.#ports;
    const pid = hosts.pids().get(host);
    if (pid === undefined) return 'by-itself';
    const isThere = () => hosts.pids().get(host) === pid;
    if (point !== undefined) {
      void control.arm(pid, point);
      if (CALLS_OF_A_DRAIN.has(callOf(point))) hosts.kill(host, 'SIGTERM');
      const deadline = performance.now() + REACH_MS;
      while (isThere() && performance.now() < deadline) await delay(POLL_MS);
    }
    const isReached = point !== undefined && !isThere();
    if (isThere()) hosts.kill(host, 'SIGKILL');
    while (isThere()) await delay(POLL_MS);
    if (this.#ended.get(host)?.killed !== true) return 'by-itself';
    return isReached ? 'at-point' : 'killed';
  }

  /** Waits for a host to kill. One may just be starting, and that is as good a moment as any, for some of the kills. */
  async #choose(pick: number, owner: boolean, point: KillPoint | undefined): Promise<string> {
    const startedAt = performance.now();
    const isForStart = point !== undefined && CALLS_OF_A_START.has(callOf(point));
    for (;;) {
      const candidates = await this.#candidates(point);
      const owners = candidates.filter(({ owns }) => owns);
      const others = candidates.filter(({ owns }) => !owns);
      const wanted = isForStart ? others : owner ? owners : candidates;
      const isPatient = performance.now() - startedAt < OWNER_PATIENCE_MS;
      const from = wanted.length > 0 || isPatient ? wanted : candidates;
      const chosen = from[Math.floor(pick * from.length)];
      // Somebody else may have chosen it while the tables were read.
      if (chosen !== undefined && !this.#marked.has(chosen.host)) return chosen.host;
      await delay(LOOK_MS);
    }
  }

  async #candidates(point: KillPoint | undefined) {
    const { hosts, control, fleet, isBusy } = this.#ports;
    const owners = await fleet.owners();
    const running = [...hosts.pids()].filter(([host]) => !this.#marked.has(host) && (!isBusy(host) || !point));
    const known = running.map(([host, pid]) => {
      const since = control.startOf(pid);
      // A row that is older than the process was left by the one before.
      return { host, since, owns: since !== undefined && (owners.get(host) ?? 0) >= since };
    });
    // A process that has not said where it is cannot be told where to end.
    return known.filter(({ since }) => since !== undefined || point === undefined);
  }
}
