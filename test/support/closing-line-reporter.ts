import type { Reporter, TestCase, TestModule } from 'vitest/node';

/**
 * Ends a test run with why tests were skipped, and one plain line: `N passed, N failed, N skipped`. Errors outside of
 * tests count as failed.
 */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    const reasons = new Map<string, number>();
    for (const module of modules) {
      if (
        module.state() === 'failed' &&
        [...module.children.allTests()].every((test) => test.result().state !== 'failed')
      )
        failed += 1;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') passed += 1;
        else if (result.state === 'failed') failed += 1;
        else {
          skipped += 1;
          const reason = (result.state === 'skipped' && result.note) || suiteOf(test);
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        }
      }
    }
    const why = [...reasons].map(([reason, count]) => `skipped ${count}: ${reason}\n`).join('');
    // After the other reporters' summary, so that it is the last line.
    process.on('exit', () =>
      process.stdout.write(`${why}${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`),
    );
  }
}

/** Names of suites say why they are skipped as a whole. */
function suiteOf({ parent, name }: TestCase): string {
  return parent.type === 'suite' ? parent.fullName : name;
}
