import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import type { StreamRow } from '../contracts/rows.ts';
import type { StreamSockets } from '../ports/event-stream.ts';
import { awsErrorName, dependencyError } from './aws-errors.ts';
import { connections } from './client-settings.ts';

const TIMEOUT_MS = 5_000;
/** A connection that takes nothing now is asked again later, not by the client. */
const ATTEMPTS = 2;

/** Connections of API Gateway's WebSocket API, through its management API. */
export class ApiGatewayStreamSockets implements StreamSockets {
  readonly #endpoint: string | undefined;
  readonly #clients = new Map<string, ApiGatewayManagementApiClient>();

  /** @param endpoint of all streams, where it is not what a stream says */
  constructor(endpoint?: string) {
    this.#endpoint = endpoint;
  }

  async post(stream: StreamRow, text: string): Promise<'sent' | 'busy' | 'gone'> {
    try {
      const { connectionId: ConnectionId } = stream;
      await this.#client(stream).send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from(text) }));
      return 'sent';
    } catch (error) {
      if (awsErrorName(error) === 'GoneException') return 'gone';
      if (awsErrorName(error) === 'LimitExceededException') return 'busy';
      throw dependencyError('API Gateway PostToConnection', error);
    }
  }

  async close(stream: StreamRow): Promise<void> {
    try {
      await this.#client(stream).send(new DeleteConnectionCommand({ ConnectionId: stream.connectionId }));
    } catch (error) {
      if (awsErrorName(error) !== 'GoneException') throw dependencyError('API Gateway DeleteConnection', error);
    }
  }

  #client(stream: StreamRow): ApiGatewayManagementApiClient {
    const endpoint = this.#endpoint ?? stream.endpoint;
    const known = this.#clients.get(endpoint);
    if (known !== undefined) return known;
    const made = new ApiGatewayManagementApiClient({
      endpoint,
      maxAttempts: ATTEMPTS,
      requestHandler: connections(TIMEOUT_MS),
    });
    this.#clients.set(endpoint, made);
    return made;
  }
}
