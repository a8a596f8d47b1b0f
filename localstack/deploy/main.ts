import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAdministratorKey } from '#functions/administrator-key/administrator-key.ts';
import { createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { DynamoDbAuditLog } from '#shared/adapters/dynamodb-audit-log.ts';
import { createPepperReader } from '#shared/adapters/key-pepper-reader.ts';
import { createSecretReader } from '#shared/adapters/secrets-manager.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { isReachable } from '../start/reachability.ts';
import { deploymentOf } from './deployment.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = join(ROOT, '.trunkline/deploy-local');
const ENDPOINT = process.env.AWS_ENDPOINT_URL ?? 'http://127.0.0.1:4566';
const ACCOUNT = '000000000000';
const REGION = 'us-east-1';

/** What emulators take for an account of its own, and no real account ever. */
const EMULATOR = {
  AWS_ENDPOINT_URL: ENDPOINT,
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** Bootstraps an emulator, deploys every stack to it as to an account, and lets the administrator's key in. */
async function main(context: readonly string[]): Promise<void> {
  if (!(await isReachable(ENDPOINT, 5_000))) {
    process.stderr.write(`Nothing answers at ${ENDPOINT}. Start an emulator first; localstack/README.md says how.\n`);
    process.exitCode = 1;
    return;
  }
  await mkdir(FOLDER, { recursive: true, mode: 0o700 });
  const outputs = join(FOLDER, 'outputs.json');
  const target = ['-c', 'target=local', '-c', `endpoint=${ENDPOINT}`, ...context];
  await cdk(['bootstrap', `aws://${ACCOUNT}/${REGION}`, ...target]);
  await cdk(['deploy', '--all', '--require-approval', 'never', '--outputs-file', outputs, ...target]);
  const deployment = deploymentOf(JSON.parse(await readFile(outputs, 'utf8')), {
    endpoint: ENDPOINT,
    account: ACCOUNT,
    region: REGION,
  });
  const { administratorKeySecret, ...rest } = deployment;
  const apiKey = await letAdministratorIn(administratorKeySecret, deployment.env);
  await writeFile(join(FOLDER, 'deployment.json'), `${JSON.stringify({ ...rest, apiKey }, undefined, 2)}\n`, {
    mode: 0o600,
  });
  process.stdout.write(
    `\nAPI      ${deployment.apiUrl}\nStreams  ${deployment.streamUrl ?? 'none'}\nAPI key  ${apiKey}\n\nThe environment of a host is in ${join(FOLDER, 'deployment.json')}.\n`,
  );
}

/** In AWS a trigger of the stack calls the function that does this. */
async function letAdministratorIn(
  secret: string,
  env: { readonly RESOURCE_PREFIX: string; readonly BUCKET_SUFFIX: string },
): Promise<string> {
  Object.assign(process.env, EMULATOR);
  const readSecret = createSecretReader();
  const key = await readSecret(secret);
  const clients = createAwsClients({ pathStyle: true });
  const { tables } = resourceNames(env);
  const keys = new DynamoDbApiKeyStore(clients.dynamo, tables.apiKeys);
  const audit = new DynamoDbAuditLog(clients.dynamo, tables.audit);
  const readPepper = createPepperReader(() => readSecret(`${env.RESOURCE_PREFIX}/key-pepper`));
  await createAdministratorKey({ keys, audit, readKey: async () => key, readPepper, clock: systemClock })();
  destroyAwsClients(clients);
  return key;
}

async function cdk(args: readonly string[]): Promise<void> {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'node_modules/aws-cdk/bin/cdk'), '--no-notices', '--output', join(FOLDER, 'cdk.out'), ...args],
    {
      cwd: ROOT,
      stdio: 'inherit',
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        ...EMULATOR,
        CDK_DEFAULT_ACCOUNT: ACCOUNT,
        CDK_DEFAULT_REGION: REGION,
        // It remembers which account a key belongs to, and every emulator's key is the same.
        CDK_HOME: join(FOLDER, 'cdk-home'),
        CDK_DISABLE_CLI_TELEMETRY: 'true',
      },
    },
  );
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`cdk ${args[0]} ended with ${code}.`);
}

await main(process.argv.slice(2));
