import { createServer } from 'node:http';
import { taskArn } from './aws-identity.ts';
import { type Listener, listen } from './loopback-listener.ts';

/** Where a task finds what ECS knows of it: the value of ECS_CONTAINER_METADATA_URI_V4. */
export const taskMetadataUri = ({ url }: Pick<Listener, 'url'>, task: string): string => `${url}/v4/${task}`;

/** ECS's task metadata endpoint, version 4, as far as hosts use it: who a task is. */
export async function startTaskMetadata(): Promise<Listener> {
  const server = createServer((request, response) => {
    const task = /^\/v4\/([\w-]+)\/task$/.exec(request.url ?? '')?.[1];
    response.writeHead(task === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(task === undefined ? '{}' : JSON.stringify({ TaskARN: taskArn(task), KnownStatus: 'RUNNING' }));
  });
  return await listen(server);
}
