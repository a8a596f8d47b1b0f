import * as z from 'zod';

/** What the CDK CLI writes with `--outputs-file`: by stack, then by output. */
const outputsSchema = z.record(z.string(), z.record(z.string(), z.string()));

/** A deployed installation, as its callers and its hosts find it. */
export interface Deployment {
  /** Of the API for callers with a key. */
  readonly apiUrl: string;
  /** Of event streams, where there are any. */
  readonly streamUrl?: string;
  /** Name of the secret with the administrator's key. */
  readonly administratorKeySecret: string;
  /** What a host needs to work on it. */
  readonly env: {
    readonly RESOURCE_PREFIX: string;
    readonly BUCKET_SUFFIX: string;
    readonly PUBLIC_URL: string;
    readonly AWS_ENDPOINT_URL: string;
    readonly AWS_REGION: string;
    readonly S3_PATH_STYLE: 'true';
  };
}

export interface EmulatorAddress {
  readonly endpoint: string;
  readonly account: string;
  readonly region: string;
}

/** @throws Error when the outputs are not those of one installation */
export function deploymentOf(outputs: unknown, { endpoint, account, region }: EmulatorAddress): Deployment {
  const stacks = Object.entries(outputsSchema.parse(outputs));
  const prefix = stacks.map(([name]) => /^(.+)-data$/.exec(name)?.[1]).find((found) => found !== undefined);
  const values = new Map(stacks.flatMap(([, named]) => Object.entries(named)));
  const [apiUrl, administratorKeySecret] = [values.get('ApiUrl'), values.get('AdministratorKeySecret')];
  if (prefix === undefined || apiUrl === undefined || administratorKeySecret === undefined) {
    throw new Error(
      `The outputs lack the data stack, ApiUrl or AdministratorKeySecret: ${stacks.map(([name]) => name).join(', ')}.`,
    );
  }
  const streamUrl = values.get('StreamUrl');
  const emulatedUrl = `${endpoint}/restapis/${apiPath(apiUrl).join('/')}/_user_request_`;
  return {
    apiUrl: emulatedUrl,
    ...(streamUrl !== undefined && {
      streamUrl: `${endpoint.replace('http', 'ws')}/_aws/execute-api/${apiPath(streamUrl).join('/')}`,
    }),
    administratorKeySecret,
    env: {
      RESOURCE_PREFIX: prefix,
      BUCKET_SUFFIX: `-${account}-${region}`,
      PUBLIC_URL: emulatedUrl,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      S3_PATH_STYLE: 'true',
    },
  };
}

/** Id and stage: an output names AWS's host, which is not where an emulator's API is. */
function apiPath(url: string): readonly [string, string] {
  const { hostname, pathname } = new URL(url);
  return [hostname.split('.')[0] ?? '', pathname.replaceAll('/', '')];
}
