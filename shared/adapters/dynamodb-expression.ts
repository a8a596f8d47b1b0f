/** Names and values of one request. Every attribute is aliased, so no reserved word gets in the way. */
export interface Bindings {
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, unknown>;
}

/**
 * Collects the names and values of a request while its expressions are written:
 * `` `${e.name('state')} = ${e.value('QUEUED')}` ``.
 */
export class Expression {
  readonly #names = new Map<string, string>();
  readonly #values: unknown[] = [];

  name(attribute: string): string {
    const known = this.#names.get(attribute);
    if (known !== undefined) return known;
    const alias = `#n${this.#names.size}`;
    this.#names.set(attribute, alias);
    return alias;
  }

  value(value: unknown): string {
    this.#values.push(value);
    return `:v${this.#values.length - 1}`;
  }

  /** `SET a = :a … REMOVE b` from fields: undefined leaves an attribute alone, `REMOVE` takes it away. */
  update(fields: Readonly<Record<string, unknown>>, ...clauses: readonly string[]): string {
    const sets = [...clauses];
    const removes: string[] = [];
    for (const [attribute, value] of Object.entries(fields)) {
      if (value === REMOVE) removes.push(this.name(attribute));
      else if (value !== undefined) sets.push(`${this.name(attribute)} = ${this.value(value)}`);
    }
    const set = sets.length > 0 ? `SET ${sets.join(', ')}` : '';
    return removes.length > 0 ? `${set} REMOVE ${removes.join(', ')}` : set;
  }

  bindings(): Bindings {
    return {
      ExpressionAttributeNames: Object.fromEntries([...this.#names].map(([attribute, alias]) => [alias, attribute])),
      ...(this.#values.length > 0 && {
        ExpressionAttributeValues: Object.fromEntries(this.#values.map((value, index) => [`:v${index}`, value])),
      }),
    };
  }
}

/** Marks an attribute to be taken away by an update. */
export const REMOVE: unique symbol = Symbol('REMOVE');
