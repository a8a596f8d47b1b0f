import * as z from 'zod';

/** What the process with bare Baileys is asked to do. */
export const requestSchema = z.discriminatedUnion('do', [
  /** Opens sockets until there are this many. */
  z.object({ do: z.literal('pair'), sockets: z.number() }),
  /** Sends texts from all sockets, socket N to `contacts[N]`; `concurrency` clients share them evenly. */
  z.object({ do: z.literal('send'), contacts: z.array(z.string()), messages: z.number(), concurrency: z.number() }),
  /** Answers once this many messages came in since the last time. */
  z.object({ do: z.literal('receive'), messages: z.number() }),
]);
export type BareRequest = z.infer<typeof requestSchema>;

export const readySchema = z.object({ ready: z.literal(true) });
/** `phones` has the numbers of all sockets so far. */
export const pairedSchema = z.object({ phones: z.array(z.string()) });
/** When the first send began and the last call returned, in milliseconds since 1970. */
export const sentSchema = z.object({ startedAt: z.number(), returnedAt: z.number() });
/** When each message was handed to the application, by its id, in milliseconds since 1970. */
export const receivedSchema = z.object({ receivedAt: z.record(z.string(), z.number()) });
