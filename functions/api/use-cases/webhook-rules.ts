import { EVENT_NAMES } from '#shared/contracts/events.ts';
import { isHeaderName, isHeaderValue, isReservedHeader } from '#shared/contracts/webhook-headers.ts';
import type { WebhookConfig } from '#shared/contracts/webhooks.ts';
import { type FieldIssue, ValidationError } from '#shared/domain/errors.ts';
import type { RuleBrokenBy } from '#shared/ports/target-rule.ts';
import type { CompileTextPattern } from '#shared/ports/text-pattern.ts';
import type { ApiDeps } from '../deps.ts';

export type WebhookChecks = Pick<ApiDeps, 'ruleBrokenBy' | 'compileTextPattern'>;

/** Names of WAHA that its clients may ask for, and that nothing here happens under (yet). */
const SILENT_NAMES = ['state.change', 'group.join', 'group.leave'];
const SUBSCRIBABLE: ReadonlySet<string> = new Set(['*', ...EVENT_NAMES, ...SILENT_NAMES]);

const PATTERN_RULES = {
  'not-re2': 'must be an RE2 pattern (no look-around, no back-references)',
  'too-large':
    'must be smaller: a repeat like {1,300} counts as often as it may repeat, and a pattern may come to 1,000',
} as const;

const MOST_WEBHOOKS = 50;
const MOST_HEADERS = 50;
const LONGEST_URL = 2_048;
const MOST_ATTEMPTS = 100;
const LONGEST_DELAY_SECONDS = 86_400;

/**
 * Refuses webhooks that could never work: what a schema cannot know, or did not ask of configurations from before.
 *
 * @throws ValidationError that names the fields
 */
export async function assertWebhooksUsable(
  { ruleBrokenBy, compileTextPattern }: WebhookChecks,
  webhooks: readonly WebhookConfig[],
): Promise<void> {
  const issues: FieldIssue[] = [];
  if (webhooks.length > MOST_WEBHOOKS) {
    issues.push({ path: 'config.webhooks', message: `must have ${MOST_WEBHOOKS} entries at most` });
  }
  for (const [index, webhook] of webhooks.entries()) {
    const found = [
      ...urlIssues(webhook, ruleBrokenBy),
      ...eventIssues(webhook),
      ...retryIssues(webhook),
      ...headerIssues(webhook),
      ...(await patternIssues(webhook, compileTextPattern)),
    ];
    issues.push(...found.map(({ path, message }) => ({ path: `config.webhooks.${index}.${path}`, message })));
  }
  if (issues.length > 0) throw new ValidationError(issues);
}

function urlIssues({ url }: WebhookConfig, ruleBrokenBy: RuleBrokenBy): readonly FieldIssue[] {
  if (url.length > LONGEST_URL) return [{ path: 'url', message: `must have ${LONGEST_URL} characters at most` }];
  const rule = ruleBrokenBy(url);
  return rule === undefined ? [] : [{ path: 'url', message: rule }];
}

function eventIssues({ events }: WebhookConfig): readonly FieldIssue[] {
  return events.flatMap((name, index) =>
    SUBSCRIBABLE.has(name) ? [] : [{ path: `events.${index}`, message: 'must be the name of an event, or *' }],
  );
}

function retryIssues({ retries }: WebhookConfig): readonly FieldIssue[] {
  const { attempts, delaySeconds } = retries ?? {};
  const within = (path: string, value: number | null | undefined, most: number): readonly FieldIssue[] =>
    value === null || value === undefined || (value >= 0 && value <= most)
      ? []
      : [{ path, message: `must be from 0 to ${most}` }];
  return [
    ...within('retries.attempts', attempts, MOST_ATTEMPTS),
    ...within('retries.delaySeconds', delaySeconds, LONGEST_DELAY_SECONDS),
  ];
}

function headerIssues({ customHeaders }: WebhookConfig): readonly FieldIssue[] {
  const headers = customHeaders ?? [];
  if (headers.length > MOST_HEADERS) {
    return [{ path: 'customHeaders', message: `must have ${MOST_HEADERS} entries at most` }];
  }
  return headers.flatMap(({ name, value }, index) => [
    ...(isHeaderName(name) ? [] : [{ path: `customHeaders.${index}.name`, message: 'must be the name of a header' }]),
    ...(isReservedHeader(name)
      ? [{ path: `customHeaders.${index}.name`, message: 'must not be a header that Trunkline or HTTP sets itself' }]
      : []),
    ...(isHeaderValue(value)
      ? []
      : [{ path: `customHeaders.${index}.value`, message: 'must be one line of Latin-1 characters' }]),
  ]);
}

async function patternIssues(
  { filter }: WebhookConfig,
  compileTextPattern: CompileTextPattern,
): Promise<readonly FieldIssue[]> {
  if (!filter?.textPattern) return [];
  const compiled = await compileTextPattern(filter.textPattern);
  return typeof compiled === 'string' ? [{ path: 'filter.textPattern', message: PATTERN_RULES[compiled] }] : [];
}
