/** An answer of the API that is not a success. */
export class ApiCallError extends Error {
  readonly status: number;
  constructor(method: string, path: string, status: number, body: string) {
    super(`${method} ${path} answered ${status}: ${body.slice(0, 500)}`);
    this.status = status;
  }
}

/** What any client of the HTTP API does: JSON in and out with a key. */
export class ApiClient {
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  async get(path: string): Promise<unknown> {
    return await (await this.raw('GET', path)).json();
  }

  async post(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<unknown> {
    return await (await this.raw('POST', path, body, headers)).json();
  }

  /** @throws ApiCallError for every status but 2xx and 3xx */
  async raw(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      redirect: 'follow',
      headers: {
        'x-api-key': this.#key,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new ApiCallError(method, path, response.status, await response.text());
    return response;
  }
}
