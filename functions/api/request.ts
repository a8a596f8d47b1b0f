import type * as z from 'zod';
import type { Caller } from '#functions/authorizer/caller.ts';
import type { Operation, OperationRequest, OperationTable } from '#shared/contracts/api/operation.ts';
import type { Reply } from './reply.ts';

type Part<R extends OperationRequest, K extends keyof OperationRequest> = R extends { readonly [P in K]: infer S }
  ? S extends z.ZodType
    ? z.output<S>
    : unknown
  : unknown;

/** A request whose parts have passed the operation's schemas. */
export interface ApiRequest<O extends Operation = Operation> {
  readonly operation: O;
  readonly params: Part<O['request'], 'params'>;
  readonly query: Part<O['request'], 'query'>;
  readonly body: Part<O['request'], 'body'>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for public operations only. */
  readonly caller: Caller | undefined;
  /** Where the API is, as this client sees it, without a slash at the end. */
  readonly baseUrl: string;
  readonly requestId: string;
}

export type ApiHandler<O extends Operation = Operation> = (request: ApiRequest<O>) => Promise<Reply>;

/** One handler for every operation of a table, by its id. */
export type ApiHandlers<T extends OperationTable> = { readonly [K in keyof T]: ApiHandler<T[K]> };
