import type { StreamTask } from '#shared/contracts/event-stream.ts';
import type { StreamQueue } from '#shared/ports/event-stream.ts';

/** Keeps what it was given; one task for each stream and cause, as the queue. */
export class RecordedStreamQueue implements StreamQueue {
  tasks: StreamTask[] = [];
  /** With the seconds after which they are due. */
  later: (readonly [StreamTask, number])[] = [];
  readonly #known = new Set<string>();

  async send(tasks: Parameters<StreamQueue['send']>[0]): Promise<void> {
    for (const { task, cause } of tasks) {
      const id = `${task.connectionId} ${cause}`;
      if (!this.#known.has(id)) this.tasks.push(task);
      this.#known.add(id);
    }
  }

  async sendLater(task: StreamTask, seconds: number): Promise<void> {
    this.later.push([task, seconds]);
  }
}
