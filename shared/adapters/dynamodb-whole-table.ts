import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DependencyError, NotFoundError } from '../domain/errors.ts';
import type { Row, Segment, WholeTable } from '../ports/whole-installation.ts';
import { awsErrorName } from './aws-errors.ts';
import { DynamoDbTable, type ScanOptions } from './dynamodb-table.ts';

export class DynamoDbWholeTable implements WholeTable {
  readonly name: string;
  readonly #table: DynamoDbTable;

  constructor(client: DynamoDBDocumentClient, name: string) {
    this.name = name;
    this.#table = new DynamoDbTable(client, name);
  }

  async *pages(segment?: Segment): AsyncGenerator<readonly Row[]> {
    const options = segment === undefined ? {} : { Segment: segment.index, TotalSegments: segment.of };
    for await (const { Items = [] } of this.#scan(options)) yield Items;
  }

  async put(rows: readonly Row[]): Promise<void> {
    await this.#table.putMany(rows);
  }

  async count(): Promise<number> {
    let count = 0;
    for await (const page of this.#scan({ Select: 'COUNT' })) count += page.Count ?? 0;
    return count;
  }

  async *#scan(options: ScanOptions): ReturnType<DynamoDbTable['scanPages']> {
    try {
      yield* this.#table.scanPages(options);
    } catch (error) {
      const isMissing = error instanceof DependencyError && awsErrorName(error.cause) === 'ResourceNotFoundException';
      throw isMissing ? new NotFoundError(`There is no table ${this.name}`) : error;
    }
  }
}
