import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import { KEY_ACTIONS } from '#shared/contracts/rows.ts';
import { permits } from './support/policies.ts';

const page = readFileSync(new URL('../../docs/keys.md', import.meta.url), 'utf8');
const API = 'arn:aws:execute-api:region:account:api/v1';
const INVOKE = 'execute-api:Invoke';

/** Resources by scope, as the page's table of IAM policies has them. */
const documented = new Map(
  [...page.matchAll(/^\| `(\w+)` \| (`(?:[A-Z]+|\*)\/api\/.*) \|$/gm)].map(([, scope, resources = '']) => [
    scope,
    [...resources.matchAll(/`([^`]+)`/g)].map(([, resource]) => `${API}/${resource}`),
  ]),
);
const arnOf = ({ method, path }: { readonly method: string; readonly path: string }) =>
  `${API}/${method}${path.replace(/\{\w+\+\}/g, 'a/b').replace(/\{\w+\}/g, 'some')}`;

describe('the IAM policies of docs/keys.md', () => {
  it('are there for every scope that has operations', () => {
    expect([...documented.keys()].sort()).toEqual(
      [...KEY_ACTIONS, 'admin'].filter((scope) => OPERATIONS.some((one) => one.scope === scope)).sort(),
    );
  });

  it.each([...documented])('of the scope %s allow its operations and no others', (scope, resources) => {
    const allowed = OPERATIONS.filter((operation) =>
      permits([{ actions: [INVOKE], resources, condition: undefined }], INVOKE, arnOf(operation)),
    );
    const wanted = OPERATIONS.filter((one) => one.scope === scope || (scope === 'read' && one.scope === 'media'));
    expect(allowed.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
  });
});
