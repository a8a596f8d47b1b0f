/** One measured figure. Times are milliseconds unless `unit` says something else. */
export interface Figure {
  readonly figure: string;
  readonly unit: string;
  /** How many samples it was made of. */
  readonly n: number;
  readonly value?: number;
  readonly p50?: number;
  readonly p95?: number;
  readonly p99?: number;
  /** What the figure should be, in words, and whether it is. */
  readonly goal?: string;
  readonly met?: boolean;
  /** Other numbers that explain it. */
  readonly details?: Readonly<Record<string, number | string>>;
}

/** Collects figures: a JSON line on stdout at once, a table for people at the end. */
export class FigureSheet {
  readonly #figures: Figure[] = [];

  add(figure: Figure): void {
    this.#figures.push(figure);
    process.stdout.write(`${JSON.stringify(figure)}\n`);
  }

  table(): string {
    const rows = this.#figures.map(({ figure, value, p50, p95, p99, unit, n, goal, met }) => [
      figure,
      value === undefined ? '' : String(value),
      p50 === undefined ? '' : String(p50),
      p95 === undefined ? '' : String(p95),
      p99 === undefined ? '' : String(p99),
      unit,
      String(n),
      goal === undefined ? '' : `${goal} ${met ? 'met' : 'MISSED'}`,
    ]);
    const all = [['figure', 'value', 'p50', 'p95', 'p99', 'unit', 'n', 'goal'], ...rows];
    const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
    return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
  }
}

/** Median and 95th percentile, to a tenth. */
export function spread(samples: readonly number[]): { n: number; p50: number; p95: number } {
  return { n: samples.length, p50: rounded(quantile(samples, 0.5)), p95: rounded(quantile(samples, 0.95)) };
}

/** Median and 99th percentile, to a hundredth. */
export function tail(samples: readonly number[]): { n: number; p50: number; p99: number } {
  return { n: samples.length, p50: rounded(quantile(samples, 0.5), 2), p99: rounded(quantile(samples, 0.99), 2) };
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

export function atMost(goal: number, value: number, unit: string): { goal: string; met: boolean } {
  return { goal: `<= ${goal} ${unit}`, met: value <= goal };
}

export function atLeast(goal: number, value: number, unit: string): { goal: string; met: boolean } {
  return { goal: `>= ${goal} ${unit}`, met: value >= goal };
}

function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  if (sorted.length === 0) throw new Error('No samples: nothing was measured.');
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? 0;
  const above = sorted[Math.ceil(position)] ?? below;
  return below + (above - below) * (position - Math.floor(position));
}
