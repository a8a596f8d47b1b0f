import * as z from 'zod';
import type { ApiClient } from '#localstack/demo/api-client.ts';
import { until } from '#localstack/demo/until.ts';
import {
  type JobView,
  jobSchema,
  type SentMessage,
  type SessionInfo,
  sentMessageSchema,
  sessionInfoSchema,
} from '#shared/contracts/api/bodies.ts';
import type { JobState } from '#shared/contracts/jobs.ts';
import { type WaMessage, waMessageSchema } from '#shared/contracts/message.ts';

/** A send that the API has accepted. */
export interface Accepted extends SentMessage {
  readonly jobId: string;
  /** The id on the wire. */
  readonly bareId: string;
}

const jobIdSchema = z.object({ jobId: z.string() });

/** Parses the answer to a send, whichever operation it was. */
export function accepted(answer: unknown): Accepted {
  const sent = sentMessageSchema.parse(answer);
  return { ...sent, ...jobIdSchema.parse(sent._data), bareId: sent.key.id };
}

/** Sends to `session`, which goes into the body. */
export async function send(
  api: ApiClient,
  operation: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Accepted> {
  return accepted(await api.post(`/api/${operation}`, body, headers));
}

export async function readSession(api: ApiClient, session: string): Promise<SessionInfo> {
  return sessionInfoSchema.parse(await api.get(`/api/sessions/${session}`));
}

export async function readJob(api: ApiClient, session: string, id: string): Promise<JobView> {
  return jobSchema.parse(await api.get(`/api/${session}/jobs/${id}`));
}

/** Messages of a chat, the latest first. */
export async function readMessages(
  api: ApiClient,
  session: string,
  chatId: string,
  query = 'limit=100',
): Promise<readonly WaMessage[]> {
  const path = `/api/${session}/chats/${encodeURIComponent(chatId)}/messages?${query}`;
  return z.array(waMessageSchema).parse(await api.get(path));
}

/** Waits until the job is in one of these states. */
export async function untilJob(
  api: ApiClient,
  session: string,
  id: string,
  states: readonly JobState[],
): Promise<JobView> {
  return await until(`job ${states.join(' or ')}`, async () => {
    const job = await readJob(api, session, id);
    return states.includes(job.state) ? job : undefined;
  });
}

/** Waits until the read model has the message with this bare id as `wanted` says. */
export async function untilMessage(
  api: ApiClient,
  session: string,
  chatId: string,
  bareId: string,
  wanted: (message: WaMessage) => boolean = () => true,
): Promise<WaMessage> {
  return await until(`message ${bareId} in the chat`, async () => {
    const messages = await readMessages(api, session, chatId);
    return messages.find((message) => message.id.split('_')[2] === bareId && wanted(message));
  });
}

/** The text of the QR code on show. */
export async function untilQr(api: ApiClient, session: string): Promise<string> {
  return await until('a QR code', async () => {
    const response = await api.raw('GET', `/api/${session}/auth/qr?format=raw`).catch(() => undefined);
    return response === undefined ? undefined : z.object({ value: z.string() }).parse(await response.json()).value;
  });
}
