import { randomBytes } from 'node:crypto';
import type { CloudEnvironment } from '#localstack/embedded/cloud-clients.ts';
import { TARGETS, type TargetName } from './capabilities.ts';

const EMULATOR = 'http://127.0.0.1:4566';

/** The cloud that this run is against: TRUNKLINE_TARGET, embedded without it. */
export const TARGET: TargetName = readTarget(process.env.TRUNKLINE_TARGET);

/** A cloud that is not ours: it ran before the test and goes on running after it. */
export interface OutsideTarget {
  /** What a process needs in its environment to use it, RESOURCE_PREFIX included. */
  readonly env: CloudEnvironment;
  /** What every name begins with: tests beside each other, and whatever else is there, do not meet. */
  readonly prefix: string;
}

/** The target with a prefix of its own; undefined for the embedded cloud, which every test starts for itself. */
export function outsideTarget(): OutsideTarget | undefined {
  if (TARGET === 'embedded') return undefined;
  const prefix = `trunkline-test-${randomBytes(4).toString('hex')}`;
  return { prefix, env: { ...(TARGET === 'aws' ? awsEnvironment() : emulatorEnvironment()), RESOURCE_PREFIX: prefix } };
}

/** At AWS_ENDPOINT_URL, by default where emulators listen. */
function emulatorEnvironment(): CloudEnvironment {
  return {
    AWS_ENDPOINT_URL: process.env.AWS_ENDPOINT_URL ?? EMULATOR,
    AWS_REGION: 'us-east-1',
    // The secret that emulators check the signatures of presigned URLs against.
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
    S3_PATH_STYLE: 'true',
  };
}

/** Region and credentials of whoever runs the tests. */
function awsEnvironment(): CloudEnvironment {
  const { HOME, ...rest } = process.env;
  return Object.fromEntries(
    [['HOME', HOME] as const, ...Object.entries(rest).filter(([name]) => name.startsWith('AWS_'))].flatMap(
      ([name, value]) => (value === undefined ? [] : [[name, value]]),
    ),
  );
}

function readTarget(text = 'embedded'): TargetName {
  const target = TARGETS.find((name) => name === text);
  if (target === undefined) throw new Error(`TRUNKLINE_TARGET is ${text}; it can be ${TARGETS.join(', ')}.`);
  return target;
}
