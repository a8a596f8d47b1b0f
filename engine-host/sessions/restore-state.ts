import { NotOwnerError } from '#shared/domain/errors.ts';
import type { DataKeyProvider } from '#shared/ports/data-keys.ts';
import type { JournalSession } from '#shared/ports/journal-store.ts';
import type { Checkpoint, CheckpointStore } from '#shared/ports/state-store.ts';
import { type ShardLease, whileOwned } from '../host/lease.ts';
import { CorruptStateError } from './corrupt-state-error.ts';
import { decodeChanges } from './journal-codec.ts';
import { openBody } from './sealed-body.ts';
import type { SessionJournal } from './session-journal.ts';

export interface RestoreOptions {
  readonly session: JournalSession;
  readonly lease: ShardLease;
  readonly checkpoint: Checkpoint | null;
  readonly checkpoints: Pick<CheckpointStore, 'get'>;
  readonly dataKeys: DataKeyProvider;
  readonly journal: SessionJournal;
  readonly onFailure: (error: unknown, attempt: number) => void;
}

/** A state as it was, and the journal ready for its new owner. */
export interface RestoredState {
  readonly values: Map<string, Uint8Array>;
  /** Position of the new owner's seal. */
  readonly lsn: number;
  /** What the journal holds since the checkpoint. */
  readonly since: { readonly records: number; readonly bytes: number };
}

/** Where a journal has been read to. */
interface Position {
  lsn: number;
  /** Of the newest seal, or of the checkpoint: only its owner writes changes from here on. */
  epoch: number;
  records: number;
  bytes: number;
}

/**
 * Reads the checkpoint and the journal behind it, and seals the journal: from then on no owner before this one can
 * append, and nothing was appended that has not been read.
 * @throws CorruptStateError | NotFoundError when something is missing or damaged; NotOwnerError
 */
export async function restoreState(options: RestoreOptions): Promise<RestoredState> {
  const { session, lease, checkpoint, checkpoints, dataKeys, journal, onFailure } = options;
  const values = new Map<string, Uint8Array>();
  if (checkpoint !== null) {
    const { lsn, epoch } = checkpoint;
    const body = await whileOwned(lease, () => checkpoints.get(checkpoint), onFailure);
    const content = await whileOwned(
      lease,
      () => openBody(body, { kind: 'checkpoint', session, lsn, epoch }, dataKeys),
      onFailure,
    );
    apply(values, decodeChanges(content));
  }
  const at: Position = { lsn: checkpoint?.lsn ?? 0, epoch: checkpoint?.epoch ?? 0, records: 0, bytes: 0 };
  const lsn = await sealJournal(lease, journal, at, onFailure, () => replay(journal, values, at));
  return { values, lsn, since: { records: at.records, bytes: at.bytes } };
}

/**
 * Starts a journal's state over: whatever it holds is given up, unread.
 * @param values what it holds from now on
 * @throws NotOwnerError
 */
export async function abandonState(
  options: Omit<RestoreOptions, 'checkpoints' | 'dataKeys'>,
  values: RestoredState['values'] = new Map(),
): Promise<RestoredState> {
  const { lease, checkpoint, journal, onFailure } = options;
  const at: Position = { lsn: checkpoint?.lsn ?? 0, epoch: checkpoint?.epoch ?? 0, records: 0, bytes: 0 };
  const lsn = await sealJournal(lease, journal, at, onFailure, async () => {
    for await (const record of journal.read(at.lsn + 1)) {
      at.lsn = record.lsn;
      at.epoch = record.epoch;
    }
  });
  return { values, lsn, since: { records: 1, bytes: 0 } };
}

/** Applies all records behind `at` and moves it. @throws CorruptStateError | NotFoundError */
async function replay(journal: SessionJournal, values: Map<string, Uint8Array>, at: Position): Promise<void> {
  for await (const record of journal.read(at.lsn + 1)) {
    const { lsn, epoch, kind } = record;
    if (lsn !== at.lsn + 1) throw new CorruptStateError(`The journal goes on at ${lsn} instead of ${at.lsn + 1}`);
    // Only a seal begins an epoch, and none is followed by an older one's records.
    if (kind === 'seal' ? epoch < at.epoch : epoch !== at.epoch)
      throw new CorruptStateError(`A record of epoch ${epoch} follows one of epoch ${at.epoch} in the journal`);
    const changes = await record.changes();
    apply(values, changes);
    at.lsn = lsn;
    at.epoch = epoch;
    if (kind === 'changes') at.records += 1;
    at.bytes += record.bytes;
  }
}

async function sealJournal(
  lease: ShardLease,
  journal: SessionJournal,
  at: Position,
  onFailure: RestoreOptions['onFailure'],
  readOn: () => Promise<void>,
): Promise<number> {
  for (;;) {
    await whileOwned(lease, readOn, onFailure);
    if (at.epoch > lease.epoch) throw new NotOwnerError('The journal has an owner with a higher epoch');
    const lsn = at.lsn + 1;
    const seal = await whileOwned(lease, () => journal.prepare(lsn, lease.epoch, 'seal', []), onFailure);
    const append = () => {
      lease.assertOwned();
      return journal.append(seal);
    };
    if ((await whileOwned(lease, append, onFailure)) === true) return lsn;
  }
}

function apply(values: Map<string, Uint8Array>, changes: Iterable<readonly [string, Uint8Array | null]>): void {
  for (const [key, value] of changes) {
    if (value === null) values.delete(key);
    else values.set(key, value);
  }
}
