/** Where a container image is. Hosts need rights to pull it from ECR; a public registry gives it to everybody. */
export type ImageAddress =
  | { readonly registry: 'public'; readonly address: string }
  | {
      readonly registry: 'ecr';
      /** Whose it is; not necessarily ours. */
      readonly account: string;
      readonly region: string;
      readonly repository: string;
      /** A tag, or `sha256:` and a digest. @default the tag `latest` */
      readonly version: string | undefined;
    };

const HOST = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::\d{1,5})?$/i;
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const VERSION = /^(?::(?<tag>\w[\w.-]{0,127})|@(?<digest>sha256:[0-9a-f]{64}))?$/;
const ECR = /^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?$/;
/** Begins as a private registry of ECR does. */
const LIKE_ECR = /^\d+\.dkr/;

/**
 * Reads `[registry/]repository[:tag|@sha256:digest]`.
 *
 * @returns undefined for what is no such address
 */
export function parseImageAddress(address: string): ImageAddress | undefined {
  const [, host, repository = '', suffix = ''] = /^(?:([^/]*[.:][^/]*|localhost)\/)?([^:@]*)(.*)$/.exec(address) ?? [];
  const version = VERSION.exec(suffix)?.groups;
  if (version === undefined || !REPOSITORY.test(repository)) return undefined;
  if (host === undefined) return { registry: 'public', address };
  const ecr = ECR.exec(host)?.groups;
  if (ecr === undefined) return HOST.test(host) && !LIKE_ECR.test(host) ? { registry: 'public', address } : undefined;
  const { account = '', region = '' } = ecr;
  return { registry: 'ecr', account, region, repository, version: version.tag ?? version.digest };
}
