import { join } from 'node:path';
import { createApp } from '../app.ts';
import { STAGES } from '../config/stages.ts';
import { bundlesMade } from '../constructs/bundle.ts';

/**
 * Both stages as they would be deployed, into `cdk.out`, with what cdk-nag finds, and how large the functions are. Needs
 * neither network nor credentials.
 */
for (const stage of Object.keys(STAGES)) {
  const began = performance.now();
  const { stacks } = createApp({ stage, outdir: join('cdk.out', stage) }).synth();
  for (const { stackName, template } of stacks) {
    const resources: object = template.Resources;
    process.stdout.write(`${stackName}: ${Object.keys(resources).length} resources\n`);
  }
  process.stdout.write(`${stage} in ${((performance.now() - began) / 1000).toFixed(1)} s\n\n`);
}

const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KB`;
process.stdout.write('Functions, minified / gzipped:\n');
for (const { entry, bytes, gzipBytes } of bundlesMade()) {
  process.stdout.write(`  ${entry.padEnd(20)} ${kilobytes(bytes).padStart(8)} / ${kilobytes(gzipBytes)}\n`);
}
