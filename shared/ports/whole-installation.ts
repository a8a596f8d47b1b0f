/** A row of any table. */
export type Row = Readonly<Record<string, unknown>>;

/** A part of a table's rows; parts are read at the same time. */
export interface Segment {
  readonly index: number;
  readonly of: number;
}

/** A table as a whole, whatever its rows mean: for bringing it from one installation into another. */
export interface WholeTable {
  readonly name: string;
  /** Every row, strongly consistent, some at a time. @throws NotFoundError when there is no such table */
  pages(segment?: Segment): AsyncIterable<readonly Row[]>;
  /** Puts rows, in place of those with the same keys, as often as it takes. */
  put(rows: readonly Row[]): Promise<void>;
  /** How many rows there are, strongly consistent. */
  count(): Promise<number>;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** Undefined: the one that is there now. */
  readonly version?: string;
}

/** A bucket as a whole. */
export interface WholeBucket {
  readonly name: string;
  /** What is in it, or what was at a time (milliseconds since 1970, as far as old versions are kept). */
  objects(at?: number): AsyncIterable<StoredObject>;
  /** Copies an object of another bucket, with all that is stored with it. */
  take(from: string, object: StoredObject): Promise<void>;
}
