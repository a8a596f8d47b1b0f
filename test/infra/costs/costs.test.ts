import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { readSettings } from '../../../infra/config/stages.ts';
import { resourcesOf, synthesize } from '../support/synthesis.ts';
import {
  type Deployed,
  hostMonth,
  idlePoolMonth,
  type MonthlyCosts,
  monthlyCosts,
  RECEIVED_A_DAY,
  SENDS_A_DAY,
} from './monthly-costs.ts';

function deployedAs(stage: 'dev' | 'prod', context: Readonly<Record<string, string>> = {}): Deployed {
  const { functions, observability } = synthesize(stage, context).stacks;
  return {
    settings: readSettings(stage, context),
    alarmMetrics: resourcesOf(observability, 'AWS::CloudWatch::Alarm').reduce(
      (sum, { Properties }) => sum + metricsOf(Properties.Metrics),
      0,
    ),
    memoryOf: (name) => {
      const made = resourcesOf(functions, 'AWS::Lambda::Function').find(
        ({ Properties }) => Properties.FunctionName === `trunkline-${stage}-${name}`,
      );
      return z.number().parse(made?.Properties.MemorySize);
    },
  };
}

const prod = deployedAs('prod');
const columns = [monthlyCosts(prod, 10, 64), monthlyCosts(prod, 1_000, 64), monthlyCosts(prod, 100_000, 1_024)];
const dev = deployedAs('dev');
const tryout = monthlyCosts(dev, 10, dev.settings.shards);
const page = readFileSync(new URL('../../../docs/costs.md', import.meta.url), 'utf8');

/** An alarm on an expression is billed by the metrics in it. */
function metricsOf(metrics: unknown): number {
  const parts = z
    .array(z.object({ MetricStat: z.unknown().optional() }))
    .optional()
    .parse(metrics);
  return parts === undefined ? 1 : parts.filter(({ MetricStat }) => MetricStat !== undefined).length;
}

const dollars = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 10 ? 1 : 2);
const total = ({ lines }: MonthlyCosts): number => Object.values(lines).reduce((sum, value) => sum + value, 0);
const line = (label: string, cells: readonly string[]): string => `| ${[label, ...cells].join(' | ')} |`;

function table(): string {
  const labels = Object.keys(columns[0]?.lines ?? {});
  return [
    line(
      'sessions',
      columns.map(({ sessions }) => sessions.toLocaleString('en-US')),
    ),
    line(
      '---',
      columns.map(() => '---:'),
    ),
    line(
      'shards',
      columns.map(({ shards }) => shards.toLocaleString('en-US')),
    ),
    line(
      'hosts, the spare included',
      columns.map(({ hosts }) => String(hosts)),
    ),
    ...labels.map((label) =>
      line(
        `${label}, $`,
        columns.map(({ lines }) => dollars(lines[label] ?? 0)),
      ),
    ),
    line(
      '**a month, $**',
      columns.map((column) => `**${dollars(total(column))}**`),
    ),
    line(
      'a session, $',
      columns.map((column) => dollars(total(column) / column.sessions)),
    ),
  ].join('\n');
}

it('docs/costs.md has the costs that follow from settings, templates and timings', () => {
  expect(page).toContain(table());
  expect(page).toContain(`${SENDS_A_DAY} sends and ${RECEIVED_A_DAY} received messages a day`);
});

it('tells what the stage for trying out costs', () => {
  expect(page).toContain(
    `\`dev\` with ${tryout.sessions} sessions costs $${dollars(total(tryout))} a month, $${dollars(tryout.lines['engine hosts'] ?? 0)} of it for ${tryout.hosts} host.`,
  );
});

it('tells what a pool of browsers costs, without sessions and with', () => {
  const { settings, alarmMetrics } = deployedAs('prod', { pools: 'socket,browser' });
  const idle = idlePoolMonth(settings.browserShards, alarmMetrics - prod.alarmMetrics);
  const host = hostMonth(settings.browserHostCpu, settings.browserHostMemoryMiB);
  expect(page).toContain(
    `\`-c pools=socket,browser\` costs $${dollars(idle)} a month while no session of that pool runs, and $${dollars(host)} for each host, with up to ${settings.browserSessionsPerHost} sessions.`,
  );
});

it('more sessions cost more, and each of them less', () => {
  const totals = columns.map(total);
  expect(totals).toEqual(totals.toSorted((a, b) => a - b));
  const each = columns.map((column) => total(column) / column.sessions);
  expect(each[0]).toBeGreaterThan(each[1] ?? 0);
});
