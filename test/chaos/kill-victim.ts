import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { createAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbJournalStore } from '#shared/adapters/dynamodb-journal-store.ts';

/** Appends to a journal or sends frames, one after the other, until it is killed. It says so after each. For tests. */
const PAUSE_MS = 20;
const [what, url = ''] = process.argv.slice(2);
const act = what === 'append' ? appending() : await sending();
for (let n = 1; ; n += 1) {
  await act(n);
  process.stdout.write(`did ${n}\n`);
  await delay(PAUSE_MS);
}

function appending(): (n: number) => Promise<unknown> {
  const journal = new DynamoDbJournalStore(createAwsClients({ pathStyle: true }).dynamo);
  return (n) =>
    journal.append(
      { name: 'victim', incarnation: '1' },
      { lsn: n, epoch: 1, batchId: String(n), kind: 'changes', body: Buffer.from('x') },
    );
}

async function sending(): Promise<(n: number) => Promise<unknown>> {
  const socket = new WebSocket(url);
  await new Promise((resolve) => socket.once('open', resolve));
  return (n) => new Promise((resolve) => socket.send(String(n), resolve));
}
