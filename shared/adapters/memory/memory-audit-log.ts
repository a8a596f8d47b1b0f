import type { AuditEntry } from '../../contracts/audit.ts';
import type { AuditLog, AuditPage, AuditQuery } from '../../ports/audit-log.ts';
import { auditPlace } from '../audit-places.ts';

export class MemoryAuditLog implements AuditLog {
  readonly #entries = new Map<string, AuditEntry>();

  async write(entry: AuditEntry): Promise<void> {
    this.#entries.set(auditPlace(entry), structuredClone(entry));
  }

  async list({ from, to, session, limit, next }: AuditQuery): Promise<AuditPage> {
    const found = [...this.#entries]
      .filter(([place]) => next === undefined || place < next)
      .filter(([, { at }]) => at >= from && at <= to)
      .filter(([, entry]) => session === undefined || entry.session === session)
      .sort(([a], [b]) => (a < b ? 1 : -1));
    const page = found.slice(0, limit);
    return {
      entries: structuredClone(page.map(([, entry]) => entry)),
      next: page.length === limit ? page.at(-1)?.[0] : undefined,
    };
  }
}
