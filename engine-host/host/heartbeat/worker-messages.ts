import type { ResourceNames } from '#shared/contracts/resources.ts';
import type { HostNews } from '#shared/ports/ownership-store.ts';
import type { Registration } from './heartbeat.ts';

/** What the thread that beats gets when it is made. */
export interface HeartbeatWorkerData {
  readonly tables: Pick<ResourceNames['tables'], 'hosts' | 'shards'>;
  /** Milliseconds from one heartbeat to the next. */
  readonly every: number;
  /** Heartbeats after which a main thread that has shown no sign of life ends the process. */
  readonly stallBeats: number;
  /** One counter (Int32) that the main thread moves as long as it turns. */
  readonly turns: SharedArrayBuffer;
}

export type ToHeartbeatWorker =
  | {
      readonly type: 'begin';
      readonly registration: Registration;
      /** Of a `SharedPulse`. */
      readonly memory: SharedArrayBuffer;
    }
  | { readonly type: 'say'; readonly news: HostNews }
  | { readonly type: 'stop' };

export type FromHeartbeatWorker =
  | { readonly type: 'good' | 'lost' | 'stopped'; readonly incarnation: string }
  | { readonly type: 'failed'; readonly incarnation: string; readonly reason: string };
