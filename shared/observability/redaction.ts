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

const DEPTHS = ['', '*.'];

/** Paths that pino masks: the private fields at the top and one object deep, and the key header. */
export function redactedPaths(): string[] {
  const bracketed = ['["x-api-key"]', '*["x-api-key"]'];
  return [...DEPTHS.flatMap((depth) => PRIVATE_FIELDS.map((field) => `${depth}${field}`)), ...bracketed];
}
