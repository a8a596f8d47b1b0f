import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Listener, listen } from '#localstack/embedded/loopback-listener.ts';
import { DependencyError } from '../domain/errors.ts';
import { EcsTaskProtection } from './ecs-task-protection.ts';

const requests: { readonly line: string; readonly body: unknown }[] = [];
let answer: { status: number; body: string };
let agent: Listener;

beforeEach(async () => {
  requests.length = 0;
  answer = { status: 200, body: JSON.stringify({ protection: { ProtectionEnabled: true } }) };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      requests.push({ line: `${request.method} ${request.url}`, body: JSON.parse(body) });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  });
  agent = await listen(server);
});
afterEach(() => agent.close());

test('tells the agent for how long, and that it is over', async () => {
  const protection = new EcsTaskProtection(`${agent.url}/api/0123`);
  await protection.protect(60);
  await protection.unprotect();
  const line = 'PUT /api/0123/task-protection/v1/state';
  expect(requests).toEqual([
    { line, body: { ProtectionEnabled: true, ExpiresInMinutes: 60 } },
    { line, body: { ProtectionEnabled: false } },
  ]);
});

test.each([
  ['a failure with status 200', 200, '{"failure":{"Arn":"arn:aws:ecs:task","Detail":null,"Reason":"TASK_NOT_VALID"}}'],
  ['an error', 400, '{"requestID":"1","error":{"Arn":"","Code":"AccessDeniedException","Message":"no"}}'],
  ['something else', 502, '<html>'],
])('%s is no protection', async (_, status, body) => {
  answer = { status, body };
  await expect(new EcsTaskProtection(agent.url).protect(60)).rejects.toThrow(DependencyError);
});

test('an agent that is not there is no protection', async () => {
  const gone = await listen(createServer());
  await gone.close();
  await expect(new EcsTaskProtection(gone.url).protect(60)).rejects.toThrow(DependencyError);
});
