import { DynamoDbEventLog, unreadable } from '#shared/adapters/dynamodb-event-log.ts';
import type { ApiDeps } from '../deps.ts';
import type { ApiBase } from './base.ts';

/** Events that happened. @param media holds the large ones */
export function createEventLog(
  { dynamo, names: { tables }, logger }: ApiBase,
  { media }: Pick<ApiDeps, 'media'>,
): Pick<ApiDeps, 'eventLog'> {
  const options = { tableName: tables.eventLog, onUnreadable: unreadable(logger) };
  return { eventLog: new DynamoDbEventLog(dynamo, media, options) };
}
