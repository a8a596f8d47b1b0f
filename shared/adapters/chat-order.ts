import type { ChatRow } from '../contracts/rows.ts';
import type { ChatQuery } from '../ports/read-models.ts';

/** A page of chats in the wanted order. Chats without a name come after those with one. */
export function pageOfChats(rows: readonly ChatRow[], query: ChatQuery): readonly ChatRow[] {
  const sign = query.sortOrder === 'asc' ? 1 : -1;
  return [...rows].sort((a, b) => compare(a, b, query.sortBy, sign)).slice(query.offset, query.offset + query.limit);
}

function compare(a: ChatRow, b: ChatRow, sortBy: ChatQuery['sortBy'], sign: number): number {
  if (sortBy === 'timestamp') return sign * order(a.position, b.position);
  if (sortBy === 'name' && (a.name === null) !== (b.name === null)) return a.name === null ? 1 : -1;
  const byName = sortBy === 'name' ? sign * (a.name ?? '').localeCompare(b.name ?? '') : 0;
  return byName || sign * order(a.chatId, b.chatId);
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
