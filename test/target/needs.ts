import { it } from 'vitest';
import { CAPABILITIES, type Capability } from './capabilities.ts';
import { TARGET } from './target.ts';

/** Why this run's target cannot do it; undefined where it can. */
export function whyNot(capability: Capability): string | undefined {
  const verdict = CAPABILITIES[TARGET][capability];
  return verdict === 'yes' ? undefined : `${TARGET}: ${verdict.no}`;
}

/**
 * A test of a capability. Where the table says no it runs all the same: if it fails, it is skipped with the table's reason;
 * if it passes, the table is wrong and the test fails.
 */
export function itNeeds(capability: Capability, name: string, run: () => Promise<void>): void {
  it(name, async (context) => {
    const reason = whyNot(capability);
    if (reason === undefined) return await run();
    const error = await run().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined) throw new Error(`test/target/capabilities.ts is wrong: it works. “${reason}”`);
    context.skip(reason);
  });
}
