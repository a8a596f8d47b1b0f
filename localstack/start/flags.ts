import { parseArgs } from 'node:util';
import * as z from 'zod';

/** What `npm start` was asked for. */
export interface StartFlags {
  readonly port: number;
  readonly dataDir: string;
  /** `auto`: as many as the sessions need. */
  readonly hosts: number | 'auto';
  readonly simulator: boolean;
}

/** A flag is unknown or has a wrong value; the message says which and what would be right. */
export class FlagError extends Error {}

const wholeNumber = (flag: string, min: number, max: number) =>
  z
    .string()
    .refine((text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `--${flag} takes a whole number from ${min} to ${max}`,
    })
    .transform(Number);

const schema = z.object({
  port: wholeNumber('port', 0, 65_535),
  data: z.string().min(1, { error: '--data takes a directory' }),
  hosts: z.union([z.literal('auto'), wholeNumber('hosts', 1, 16)], {
    error: '--hosts takes a whole number from 1 to 16, or auto',
  }),
  simulator: z.boolean(),
});

/** @throws FlagError */
export function parseFlags(args: readonly string[]): StartFlags {
  let values: unknown;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '3000' },
        data: { type: 'string', default: '.trunkline' },
        hosts: { type: 'string', default: '1' },
        simulator: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new FlagError(error instanceof Error ? error.message : String(error));
  }
  const flags = schema.safeParse(values);
  if (!flags.success) throw new FlagError(flags.error.issues.map((issue) => issue.message).join('\n'));
  const { port, data, hosts, simulator } = flags.data;
  return { port, dataDir: data, hosts, simulator };
}
