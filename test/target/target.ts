import { randomInt } from 'node:crypto';
import type { CloudEnvironment } from '#localstack/embedded/cloud-clients.ts';
import { TARGETS, type TargetName } from './capabilities.ts';

const EMULATOR = 'http://127.0.0.1:4566';

/** The cloud that this run is against: TRUNKLINE_TARGET, embedded without it. */
export const TARGET: TargetName = readTarget(process.env.TRUNKLINE_TARGET);

/**
 * What a process needs in its environment to use the target; undefined for the embedded cloud, which every test starts
 * for itself. An emulator is at AWS_ENDPOINT_URL, by default where emulators listen; it takes twelve digits of a key
 * for an account, so each call gives an empty one. AWS is what the environment says.
 */
export function targetEnvironment(): CloudEnvironment | undefined {
  switch (TARGET) {
    case 'embedded':
      return undefined;
    case 'ministack':
    case 'localstack':
      return {
        AWS_ENDPOINT_URL: process.env.AWS_ENDPOINT_URL ?? EMULATOR,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: Array.from({ length: 12 }, () => randomInt(10)).join(''),
        // The secret that emulators check the signatures of presigned URLs against.
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_EC2_METADATA_DISABLED: 'true',
        S3_PATH_STYLE: 'true',
      };
    case 'aws':
      return Object.fromEntries(
        Object.entries(process.env).flatMap(([name, value]) =>
          name.startsWith('AWS_') && value !== undefined ? [[name, value]] : [],
        ),
      );
  }
}

function readTarget(text = 'embedded'): TargetName {
  const target = TARGETS.find((name) => name === text);
  if (target === undefined) throw new Error(`TRUNKLINE_TARGET is ${text}; it can be ${TARGETS.join(', ')}.`);
  return target;
}
