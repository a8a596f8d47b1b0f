import { afterEach, beforeEach, expect, it } from 'vitest';
import { readTaskArn } from '#shared/adapters/ecs-task-metadata.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { taskArn } from './aws-identity.ts';
import type { Listener } from './loopback-listener.ts';
import { startTaskMetadata, taskMetadataUri } from './task-metadata.ts';

let metadata: Listener;
beforeEach(async () => {
  metadata = await startTaskMetadata();
});
afterEach(() => metadata.close());

it('tells a task who it is', async () => {
  expect(await readTaskArn(taskMetadataUri(metadata, 'task-1'))).toBe(taskArn('task-1'));
});

it('has nothing else', async () => {
  expect((await fetch(`${taskMetadataUri(metadata, 'task-1')}/stats`)).status).toBe(404);
  await expect(readTaskArn(`${metadata.url}/v4/a/b`)).rejects.toBeInstanceOf(DependencyError);
});
