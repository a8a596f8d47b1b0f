import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

const FOLDER = new URL('../../docs/events/', import.meta.url);

const ajv = new Ajv2020({ strict: false });
for (const file of readdirSync(FOLDER)) {
  ajv.addSchema(JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')), file.replace(/\.json$/, ''));
}

/** What a published schema has against a detail; nothing where it keeps its promise. @param name the schema's file */
export function schemaErrors(name: string, detail: unknown): readonly string[] {
  const check = ajv.getSchema(name);
  if (check === undefined) return [`there is no schema of ${name}`];
  if (check(JSON.parse(JSON.stringify(detail)))) return [];
  return (check.errors ?? []).map(({ instancePath, message }) => `${name}${instancePath} ${message}`);
}

/** A detail as it might be of a later release under the same version: each object in it has one field more. */
export function laterForm(detail: object): object {
  return Object.fromEntries([
    ...Object.entries(detail).map(([name, value]) => [name, laterValue(value)]),
    ['addedLater', 'x'],
  ]);
}

function laterValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(laterValue);
  return typeof value === 'object' && value !== null ? laterForm(value) : value;
}
