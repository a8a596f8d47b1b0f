/** Names of fields that hold message content, identities of people, or secrets, in our rows and the engines' objects. */
const PRIVATE_FIELDS = [
  'body',
  'text',
  'caption',
  'content',
  'message',
  'payload',
  'detail',
  'vcard',
  'vCards',
  'qr',
  'pairingCode',
  'phone',
  'phoneNumber',
  'chatId',
  'chatKey',
  'jid',
  'remoteJid',
  'lid',
  'me',
  'participant',
  'from',
  'to',
  'author',
  'pushName',
  'key',
  'keys',
  'hash',
  'nonce',
  'pepper',
  'creds',
  'apiKey',
  'secret',
  'password',
  'token',
  'authorization',
  'cookie',
  'headers',
] as const;

const NAMES: ReadonlySet<string> = new Set([...PRIVATE_FIELDS, 'x-api-key']);

/** Stands where something private was. */
export const CENSOR = '[redacted]';

/** Whether a field is masked, whatever its name's case. */
export function isPrivate(field: string): boolean {
  return NAMES.has(field) || NAMES.has(field.toLowerCase());
}

/** Paths that pino masks: the private fields at the top, so also what a logger says in each of its lines. */
export function redactedPaths(): string[] {
  return [...PRIVATE_FIELDS, '["x-api-key"]'];
}
