import * as z from 'zod';

/** Which messages a phone decrypts; `sample` is one in fifty. */
export const decryptSchema = z.enum(['all', 'sample', 'none']);

/** How a simulated contact behaves by itself. Replies go out in 1:1 chats only, and only to linked clients. */
export const scriptSchema = z.object({
  reply: z.union([z.literal('echo'), z.object({ text: z.string() })]).optional(),
  readReceipts: z.boolean().default(false),
  typing: z.boolean().default(false),
  /** What the phone does when it is asked for a file again that the server has dropped. None: it uploads it again. */
  reupload: z.enum(['missing', 'error', 'silent']).optional(),
  /** `sample` and `none` take decryption off the path of benchmarks; receipts are given all the same. */
  decrypt: decryptSchema.default('all'),
});

export type Script = z.infer<typeof scriptSchema>;
export type ScriptInput = z.input<typeof scriptSchema>;
