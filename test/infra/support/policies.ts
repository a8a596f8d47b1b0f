import * as z from 'zod';
import type { Resolver } from './resolve.ts';
import { resourcesOf, type Template } from './synthesis.ts';

const list = z.union([z.array(z.unknown()), z.unknown().transform((one) => [one])]);
const statementSchema = z.object({
  Effect: z.literal('Allow'),
  Action: z.union([z.array(z.string()), z.string().transform((one) => [one])]),
  Resource: list,
  Condition: z.record(z.string(), z.unknown()).optional(),
});
const policySchema = z.object({
  Roles: z.array(z.object({ Ref: z.string() })),
  PolicyDocument: z.object({ Statement: z.array(statementSchema) }),
});

export interface Statement {
  readonly actions: readonly string[];
  /** ARNs, with `*` where the policy has it. */
  readonly resources: readonly string[];
  readonly condition: Readonly<Record<string, unknown>> | undefined;
}

/** What the policies of a template allow, by the logical id of the role. */
export function allowedBy(template: Template, { text }: Resolver): ReadonlyMap<string, readonly Statement[]> {
  const allowed = new Map<string, readonly Statement[]>();
  for (const { Properties } of resourcesOf(template, 'AWS::IAM::Policy')) {
    const { Roles, PolicyDocument } = policySchema.parse(Properties);
    const statements = PolicyDocument.Statement.map(({ Action, Resource, Condition }) => ({
      actions: Action,
      resources: Resource.map((resource) => text(resource, template)),
      condition: Condition,
    }));
    for (const { Ref } of Roles) allowed.set(Ref, [...(allowed.get(Ref) ?? []), ...statements]);
  }
  return allowed;
}

/** What a request names of a row, where statements may be about that. */
export interface Named {
  readonly attributes?: readonly string[];
  readonly returned?: string;
}

/** @param named left out: whether a request could be permitted that names nothing */
export function permits(statements: readonly Statement[], action: string, arn: string, named: Named = {}): boolean {
  return statements.some(
    ({ actions, resources, condition }) =>
      actions.includes(action) && resources.some((pattern) => matches(pattern, arn)) && isMet(condition, named),
  );
}

const rowCondition = z.object({
  'ForAllValues:StringEquals': z.object({ 'dynamodb:Attributes': z.array(z.string()) }),
  StringEquals: z.object({ 'dynamodb:ReturnValues': z.string() }),
});

/** Other conditions are about what requests here do not have. */
function isMet(condition: Statement['condition'], { attributes, returned }: Named): boolean {
  const { data } = rowCondition.safeParse(condition);
  if (data === undefined || attributes === undefined) return true;
  const allowed = data['ForAllValues:StringEquals']['dynamodb:Attributes'];
  return attributes.every((name) => allowed.includes(name)) && returned === data.StringEquals['dynamodb:ReturnValues'];
}

const ROWS = /^arn:aws:dynamodb:region:account:table\/([^/]+)/;

/** Actions on tables that are allowed and were not asked for, as `who action table`. */
export function unneeded(
  who: string,
  statements: readonly Statement[],
  asked: readonly { readonly action: string; readonly arn: string }[],
): readonly string[] {
  const tableOf = (arn: string): string | undefined => ROWS.exec(arn)?.[1];
  const needed = new Set(asked.map(({ action, arn }) => `${who} ${action} ${tableOf(arn)}`));
  const allowed = statements.flatMap(({ actions, resources }) =>
    resources.flatMap((arn) => {
      const table = tableOf(arn);
      return table === undefined ? [] : actions.map((action) => `${who} ${action} ${table}`);
    }),
  );
  return [...new Set(allowed)].filter((one) => !needed.has(one));
}

function matches(pattern: string, arn: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+^${}()|[\]\\?]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(arn);
}
