import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';

const NAME = 'refusing';
const rowSchema = z.object({ session: z.string(), events: z.array(z.object({ seq: z.number() })) });

/** Makes batches of writes fail from now on, or leaves single rows of the event log unprocessed as a busy table does. */
export function refuseWrites(
  client: DynamoDBDocumentClient,
  refused: 'call' | ((row: z.infer<typeof rowSchema>) => boolean),
): void {
  client.middlewareStack.remove(NAME);
  client.middlewareStack.add(
    (next) => async (args) => {
      if (!('RequestItems' in args.input) || args.input.RequestItems === undefined) return await next(args);
      if (refused === 'call') throw new Error('The table is away');
      const [[table, requests] = ['', []]] = Object.entries(args.input.RequestItems);
      if (!Array.isArray(requests)) return await next(args);
      // Suites share the client, and have rows of their own.
      const isRefused = ({ PutRequest }: (typeof requests)[number]) => {
        const row = rowSchema.safeParse(PutRequest?.Item);
        return row.success && refused(row.data);
      };
      const UnprocessedItems = { [table]: requests.filter(isRefused) };
      const RequestItems = { [table]: requests.filter((request) => !isRefused(request)) };
      if (RequestItems[table]?.length === 0)
        return { response: undefined, output: { $metadata: {}, UnprocessedItems } };
      const answer = await next({ ...args, input: { ...args.input, RequestItems } });
      return { ...answer, output: { ...answer.output, UnprocessedItems } };
    },
    { name: NAME },
  );
}
