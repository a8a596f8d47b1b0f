import { registerHooks } from 'node:module';

/**
 * Loaded before the engine host: the product's own program then runs with its state in memory only. What writes the
 * journal and the checkpoints, and what compresses and encrypts them, is replaced; everything else is as it is.
 */
const REPLACED = [
  '/shared/adapters/dynamodb-journal-store.ts',
  '/shared/adapters/s3-journal-body-store.ts',
  '/shared/adapters/s3-checkpoint-store.ts',
  '/engine-host/sessions/sealed-body.ts',
];
const replacement = new URL('./memory-only-stores.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    return REPLACED.some((path) => resolved.url.endsWith(path)) ? { ...resolved, url: replacement } : resolved;
  },
});
