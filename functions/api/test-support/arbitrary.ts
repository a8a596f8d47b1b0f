import fc from 'fast-check';
import * as z from 'zod';

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Text that is likely to mean something to some field. */
const texts = fc.oneof(
  fc.constantFrom('main', 'all', 'hello', '491511234567', '491511234567@c.us', '123456789-987654@g.us', 'AAECAw=='),
  fc.constantFrom('true_491511234567@c.us_3EB0AAAAAAAA', '3EB0AAAAAAAA', 'https://example.com/a.png', 'image/png', ''),
  fc.constantFrom('../..', '%2e%2e', '__proto__', '\u0000', 'ftp://x', 'data:image/png;base64,AAAA', 'SERVER', 'image'),
  fc.string({ maxLength: 20, unit: 'binary' }),
);

/** Values that a schema may or may not accept: mostly of its form, now and then of any. */
export function arbitraryInput(schema: z.ZodType): fc.Arbitrary<unknown> {
  return ofSchema(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Schema);
}

function ofSchema(schema: Schema): fc.Arbitrary<unknown> {
  const right = rightForm(schema);
  return fc.oneof({ arbitrary: right, weight: 12 }, { arbitrary: fc.jsonValue({ maxDepth: 2 }), weight: 1 });
}

function rightForm(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(ofSchema));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  switch (schema.type) {
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => [name, ofSchema(field)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [...(schema.required ?? [])] });
    }
    case 'array':
      return fc.array(ofSchema(schema.items ?? {}), { maxLength: 4 });
    case 'integer':
    case 'number':
      return fc.oneof(
        fc.integer({ min: Math.max(schema.minimum ?? -5, -1e6), max: Math.min(schema.maximum ?? 200, 1e6) }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      );
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return texts;
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}
