import { createHash } from 'node:crypto';
import { keyId } from './api-key.ts';

const ARN = /^arn:(aws[\w-]*):(iam|sts)::(\d{12}):([\w+=,.@/-]+)$/;

/**
 * Who signed a request, as an IAM user or role: of an assumed role the role, without the name of its session and without
 * a path, which AWS does not tell of assumed roles. `arn:aws:sts::1…:assumed-role/Support/ada` and
 * `arn:aws:iam::1…:role/teams/Support` are both `arn:aws:iam::1…:role/Support`.
 *
 * @returns undefined when this is no ARN of a principal
 */
export function iamPrincipal(arn: string): string | undefined {
  const [, partition, service, account, resource = ''] = ARN.exec(arn) ?? [];
  if (partition === undefined) return undefined;
  const [kind, ...names] = resource.split('/');
  const canonical = (name: string | undefined) =>
    name === undefined || name === '' ? undefined : `arn:${partition}:iam::${account}:role/${name}`;
  if (service === 'sts' && kind === 'assumed-role') return canonical(names[0]);
  if (service === 'iam' && kind === 'role') return canonical(names.at(-1));
  const isWhole = names.length > 0 && names.every((name) => name !== '');
  if (service === 'iam' && (resource === 'root' || (kind === 'user' && isWhole))) return arn;
  return service === 'sts' && kind === 'federated-user' && isWhole ? arn : undefined;
}

/** Id of the row that says what a principal may do. */
export function iamEntryId(principal: string): string {
  return keyId(createHash('sha256').update(`iam:${principal}`).digest('hex').slice(0, 26));
}
