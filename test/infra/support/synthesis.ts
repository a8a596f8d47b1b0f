import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestedStack } from 'aws-cdk-lib';
import * as z from 'zod';
import { createApp } from '../../../infra/app.ts';

const resourceSchema = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DeletionPolicy: z.string().optional(),
});
const templateSchema = z.object({
  Resources: z.record(z.string(), resourceSchema),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })).default({}),
});

export type Resource = z.infer<typeof resourceSchema>;
export type Template = z.infer<typeof templateSchema>;

export interface Synthesis {
  /** By the part of a stack's name that follows the stage. */
  readonly stacks: Readonly<Record<string, Template>>;
  /** Which stacks are deployed before a stack, by the same parts of their names. */
  readonly before: Readonly<Record<string, readonly string[]>>;
  /** Nested stacks of a stack. */
  readonly nested: readonly Template[];
  /** Where the templates lie as files. */
  readonly files: readonly string[];
}

/** A stage's templates. Functions have no code in them: bundling takes longer than everything else. */
export function synthesize(stage: string, context: Readonly<Record<string, unknown>> = {}): Synthesis {
  const outdir = mkdtempSync(join(tmpdir(), 'trunkline-synth-'));
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
  const app = createApp({ stage, outdir, withCode: false, context });
  const assembly = app.synth();
  const partOf = (name: string) => name.replace(`trunkline-${stage}-`, '');
  const stacks = assembly.stacks.map(({ stackName, template }): readonly [string, Template] => [
    partOf(stackName),
    templateSchema.parse(template),
  ]);
  const before = assembly.stacks.map(({ stackName, dependencies }): readonly [string, readonly string[]] => [
    partOf(stackName),
    dependencies.map(({ id }) => partOf(id)),
  ]);
  return {
    stacks: Object.fromEntries(stacks),
    before: Object.fromEntries(before),
    nested: app.node
      .findAll()
      .filter((construct) => construct instanceof NestedStack)
      .map((stack) => templateSchema.parse(JSON.parse(readFileSync(join(outdir, stack.templateFile), 'utf8')))),
    files: assembly.stacks.map(({ templateFullPath }) => templateFullPath),
  };
}

export function resourcesOf(
  template: Template | undefined,
  type: string,
): readonly (Resource & { readonly id: string })[] {
  return Object.entries(template?.Resources ?? {}).flatMap(([id, resource]) =>
    resource.Type === type ? [{ id, ...resource }] : [],
  );
}
