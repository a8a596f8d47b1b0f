/** What EventBridge answers with status 400: its exception's name and a sentence. */
export class EventBridgeError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }

  static validation(message: string): EventBridgeError {
    return new EventBridgeError('ValidationException', message);
  }

  static notFound(what: string): EventBridgeError {
    return new EventBridgeError('ResourceNotFoundException', `${what} does not exist.`);
  }
}
