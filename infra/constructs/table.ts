import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { KeyDefinition, TableDefinition } from '#shared/contracts/resource-shapes.ts';

export interface DefinedTableProps {
  readonly encryptionKey: IKey;
  /** Days of which it can be recovered to any second. */
  readonly recoveryDays: number;
  /** Delete protection, and it stays when the stack is deleted. */
  readonly keep: boolean;
}

const attribute = ({ name, type }: KeyDefinition) => ({
  name,
  type: type === 'S' ? AttributeType.STRING : AttributeType.NUMBER,
});

/** A table of the contracts, paid per request, recoverable to any second of the last days. */
export function definedTable(
  scope: Construct,
  id: string,
  definition: TableDefinition,
  props: DefinedTableProps,
): Table {
  const { name, partitionKey, sortKey, indexes = [], ttlAttribute } = definition;
  const table = new Table(scope, id, {
    tableName: name,
    partitionKey: attribute(partitionKey),
    ...(sortKey !== undefined && { sortKey: attribute(sortKey) }),
    ...(ttlAttribute !== undefined && { timeToLiveAttribute: ttlAttribute }),
    billingMode: BillingMode.PAY_PER_REQUEST,
    encryption: TableEncryption.CUSTOMER_MANAGED,
    encryptionKey: props.encryptionKey,
    pointInTimeRecoverySpecification: {
      pointInTimeRecoveryEnabled: true,
      recoveryPeriodInDays: props.recoveryDays,
    },
    deletionProtection: props.keep,
    removalPolicy: props.keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
  for (const { name: indexName, local, ...index } of indexes) {
    const common = {
      indexName,
      ...(index.attributes === undefined
        ? { projectionType: ProjectionType.ALL }
        : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...index.attributes] }),
    };
    const sorted = index.sortKey && attribute(index.sortKey);
    if (local === undefined) {
      table.addGlobalSecondaryIndex({
        ...common,
        partitionKey: attribute(index.partitionKey),
        ...(sorted !== undefined && { sortKey: sorted }),
      });
    } else {
      if (sorted === undefined) throw new Error(`The index ${indexName} of ${name} is local and has no sort key`);
      table.addLocalSecondaryIndex({ ...common, sortKey: sorted });
    }
  }
  return table;
}
