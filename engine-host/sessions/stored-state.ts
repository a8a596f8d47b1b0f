import type { SessionRow } from '#shared/contracts/rows.ts';
import type { CheckpointStore } from '#shared/ports/state-store.ts';
import { decodeChanges } from './journal-codec.ts';
import { openBody } from './sealed-body.ts';
import { type JournalStores, SessionJournal } from './session-journal.ts';

export interface StateStores extends JournalStores {
  readonly checkpoints: Pick<CheckpointStore, 'get'>;
}

/** What the stores hold of a session's state, for tests: read without taking anything over. */
export async function storedState(row: SessionRow, stores: StateStores): Promise<Map<string, Uint8Array>> {
  const values = new Map<string, Uint8Array>();
  const { checkpoint } = row;
  if (checkpoint !== null) {
    const place = { kind: 'checkpoint', session: row, lsn: checkpoint.lsn, epoch: checkpoint.epoch } as const;
    const content = await openBody(await stores.checkpoints.get(checkpoint), place, stores.dataKeys);
    for (const [key, value] of decodeChanges(content)) if (value !== null) values.set(key, value);
  }
  for await (const record of new SessionJournal(row, stores).read((checkpoint?.lsn ?? 0) + 1)) {
    for (const [key, value] of await record.changes()) {
      if (value === null) values.delete(key);
      else values.set(key, value);
    }
  }
  return values;
}
