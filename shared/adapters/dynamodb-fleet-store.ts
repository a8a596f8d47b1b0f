import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Pool, TABLES } from '../contracts/resources.ts';
import { type FleetRow, fleetRowSchema } from '../contracts/rows.ts';
import type { FleetStore } from '../ports/fleet-store.ts';
import { DynamoDbTable } from './dynamodb-table.ts';

export class DynamoDbFleetStore implements FleetStore {
  readonly #table: DynamoDbTable;

  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.fleets) {
    this.#table = new DynamoDbTable(client, tableName);
  }

  async get(pool: Pool): Promise<FleetRow | undefined> {
    const item = await this.#table.get({ pool });
    return item && fleetRowSchema.parse(item);
  }

  async put(row: FleetRow): Promise<boolean> {
    return await this.#table.put(row, (e) =>
      row.version === 1
        ? `attribute_not_exists(${e.name('pool')})`
        : `${e.name('version')} = ${e.value(row.version - 1)}`,
    );
  }
}
