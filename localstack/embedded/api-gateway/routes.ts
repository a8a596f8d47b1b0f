import type { IncomingMessage } from 'node:http';
import Router from 'find-my-way';

/** One method on one resource, and the function behind it. */
export interface Route {
  readonly method: string;
  /** API Gateway's notation: `/api/{session}/chats/{chatId}/messages`, `/api/files/{path+}`. */
  readonly path: string;
  readonly functionName: string;
  /** True if the authorizer decides, false if anybody may call. */
  readonly auth: boolean;
}

export interface RouteMatch {
  readonly route: Route;
  /** URL-decoded, null if the path has none. */
  readonly pathParameters: Readonly<Record<string, string>> | null;
}

/** Finds the route of a request. */
export interface RouteTable {
  find(method: string, path: string): RouteMatch | undefined;
  /** The methods a path has, empty if it is no path of this API. */
  methodsOf(path: string): readonly string[];
}

const METHODS: readonly Router.HTTPMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'];

export function createRouteTable(routes: readonly Route[]): RouteTable {
  const router = Router({ maxParamLength: 1024 });
  for (const route of routes) {
    const method = METHODS.find((known) => known === route.method.toUpperCase());
    if (method === undefined) throw new Error(`${route.method} ${route.path}: unknown method.`);
    router.on(method, routerPath(route.path), noHandler, route);
  }
  const find = (method: string, path: string): RouteMatch | undefined => {
    const known = METHODS.find((name) => name === method);
    const found = known === undefined ? null : router.find(known, path);
    if (found === null) return undefined;
    // The store is what `on` was given above.
    const route = found.store as Route;
    return { route, pathParameters: namedParameters(route, found.params) };
  };
  return {
    find,
    methodsOf: (path) => METHODS.filter((method) => find(method, path) !== undefined),
  };
}

const routerPath = (path: string): string =>
  path.replace(/\{(\w+)\+\}$/, '*').replace(/\{(\w+)\}/g, (_whole, name: string) => `:${name}`);

function namedParameters(
  { path }: Route,
  found: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> | null {
  const names = [...path.matchAll(/\{(\w+)(\+?)\}/g)].map(([, name = '', greedy]) => ({
    name,
    greedy: greedy === '+',
  }));
  if (names.length === 0) return null;
  return Object.fromEntries(names.map(({ name, greedy }) => [name, found[greedy ? '*' : name] ?? '']));
}

function noHandler(_request: IncomingMessage): void {}
