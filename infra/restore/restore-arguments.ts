import { parseArgs } from 'node:util';
import * as z from 'zod';
import { resourceNamesEnv } from '#shared/contracts/resources.ts';

/** What `npm run restore` was asked for. */
export interface RestoreArguments {
  /** Prefix of the installation whose backup it is. */
  readonly from: string;
  /** Prefix of the tables that hold the backup. */
  readonly tables: string;
  /** Of which time the buckets are taken, milliseconds since 1970; undefined: as they are. */
  readonly at: number | undefined;
  /** Prefix of the installation that gets it. */
  readonly to: string;
  /** What the names of buckets end with, in both installations. */
  readonly bucketSuffix: string;
  readonly withMedia: boolean;
}

/** An argument is missing, unknown or wrong; the message says which and what would be right. */
export class ArgumentError extends Error {}

export const USAGE = `npm run restore -- --from PREFIX --to PREFIX [options]

  --from PREFIX           the installation whose backup it is, e.g. trunkline-prod; no host of it may run
  --to PREFIX             the installation that gets it, e.g. trunkline-restore: deployed, and never used
  --bucket-suffix TEXT    what the names of the buckets end with: -ACCOUNT-REGION in AWS
  --tables PREFIX         the tables that hold the backup, where they are copies under other names
  --at TIME               the buckets as they were then, e.g. 2026-03-01T12:00:00Z: the time of the copies
  --without-media         leave the media bucket out
`;

const prefix = resourceNamesEnv.RESOURCE_PREFIX.unwrap();
const named = (name: string, example: string) =>
  z.string({ error: `--${name} is missing` }).refine((text) => prefix.safeParse(text).success, {
    error: `--${name} takes the prefix of an installation, e.g. ${example}`,
  });

const schema = z
  .object({
    from: named('from', 'trunkline-prod'),
    to: named('to', 'trunkline-restore'),
    tables: named('tables', 'trunkline-prod-copy').optional(),
    at: z.iso
      .datetime({ offset: true, error: '--at takes a time, e.g. 2026-03-01T12:00:00Z' })
      .transform((text) => Date.parse(text))
      .optional(),
    'bucket-suffix': resourceNamesEnv.BUCKET_SUFFIX,
    'without-media': z.boolean().default(false),
  })
  .refine(({ from, to, tables }) => to !== from && to !== tables, {
    error: '--to is where the backup comes from; it has to be another installation',
  });

/** @throws ArgumentError */
export function parseArguments(args: readonly string[]): RestoreArguments {
  let values: unknown;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        from: { type: 'string' },
        to: { type: 'string' },
        tables: { type: 'string' },
        at: { type: 'string' },
        'bucket-suffix': { type: 'string' },
        'without-media': { type: 'boolean' },
      },
    }));
  } catch (error) {
    throw new ArgumentError(error instanceof Error ? error.message : String(error));
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw new ArgumentError(parsed.error.issues.map((issue) => issue.message).join('\n'));
  const { from, to, tables = from, at, 'bucket-suffix': bucketSuffix, 'without-media': withoutMedia } = parsed.data;
  return { from, to, tables, at, bucketSuffix, withMedia: !withoutMedia };
}
