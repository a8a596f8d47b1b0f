import type * as z from 'zod';
import type { CommandType } from '../commands.ts';
import type { KeyAction } from '../rows.ts';
import type { EngineName } from '../session.ts';

/** What a key must be allowed to do; `admin` operations are for administrators, `public` ones need no key. */
type Scope = KeyAction | 'admin' | 'public';

/** Operations of one group are served by one function. */
export type ResourceGroup =
  | 'sessions'
  | 'pairing'
  | 'chatting'
  | 'chats'
  | 'contacts'
  | 'files'
  | 'jobs'
  | 'webhooks'
  | 'keys'
  | 'server'
  | 'docs';

export interface OperationRequest {
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
}

interface OperationResponse {
  /** Status of success. */
  readonly status: 200 | 201 | 302;
  /** Form of a JSON answer; none: the answer has no body, or only the media types of `binary`. */
  readonly schema?: z.ZodType;
  /** Media types other than JSON that the answer may have. */
  readonly binary?: readonly string[];
  /** Further expected answers that are not errors of the common form. */
  readonly also?: Readonly<Record<number, z.ZodType>>;
}

/** One row of the route table, as it is written down; its id is its key in the table, its group the table's. */
export interface OperationDefinition {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** API Gateway's form: `/api/{session}/chats/{chatId}`, `{file+}` takes the rest of the path. */
  readonly path: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly request: OperationRequest;
  readonly response: OperationResponse;
  /** Where the request names its session; null when it names none. */
  readonly session: 'params.session' | 'query.session' | 'body.session' | 'body.name' | null;
  /**
   * What a request turns into: a command for the engine, an `intent` in the session's row, a `read`, or `none` when it
   * touches no session at all.
   */
  readonly makes: CommandType | 'intent' | 'read' | 'none';
  /** Engines that can do it. */
  readonly engines: 'all' | readonly EngineName[];
  /** Whether the audit log tells who did it. */
  readonly audited?: true;
  readonly deprecated?: boolean;
  /** True for Trunkline's own operations, which WAHA does not have. */
  readonly own?: boolean;
}

export interface Operation extends OperationDefinition {
  readonly id: string;
  readonly group: ResourceGroup;
}

export type OperationTable = Readonly<Record<string, Operation>>;

type Named<T extends Readonly<Record<string, OperationDefinition>>, G extends ResourceGroup> = {
  readonly [K in keyof T & string]: T[K] & { readonly id: K; readonly group: G };
};

/** Names the operations of a group by their keys. */
export function defineOperations<
  const T extends Readonly<Record<string, OperationDefinition>>,
  const G extends ResourceGroup,
>(group: G, table: T): Named<T, G> {
  const named = Object.fromEntries(Object.entries(table).map(([id, definition]) => [id, { ...definition, id, group }]));
  // Object.fromEntries forgets which key has which value; the entries above are the table's own.
  return named as unknown as Named<T, G>;
}

/** Whether the engine can do what the operation asks. */
export function supports(operation: Operation, engine: EngineName): boolean {
  return operation.engines === 'all' || operation.engines.includes(engine);
}
