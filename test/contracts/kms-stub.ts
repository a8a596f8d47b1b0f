import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import * as z from 'zod';
import { type Listener, listen } from '#localstack/embedded/loopback-listener.ts';

const requestSchema = z.object({
  KeyId: z.string(),
  EncryptionContext: z.record(z.string(), z.string()).default({}),
  KeySpec: z.literal('AES_256').optional(),
  CiphertextBlob: z.string().optional(),
});
type KmsRequest = z.infer<typeof requestSchema>;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FINGERPRINT_BYTES = 32;
const sha256 = (text: string) => createHash('sha256').update(text).digest();

class Refusal extends Error {}

/** KMS's GenerateDataKey and Decrypt, with keys of its own: one for every key id that it is asked for. */
export class KmsStub {
  /** Operations it has answered, in order. */
  readonly calls: string[] = [];
  /** Name of the error that it answers everything with. */
  refuse: string | undefined;
  readonly #secret = randomBytes(32).toString('hex');

  async listen(): Promise<Listener> {
    const server = createServer(async (request, response) => {
      const operation = String(request.headers['x-amz-target']).replace('TrentService.', '');
      const body = requestSchema.parse(await json(request));
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      this.calls.push(operation);
      try {
        if (this.refuse !== undefined) throw new Refusal(this.refuse);
        response.end(JSON.stringify(this.#answer(operation, body)));
      } catch (error) {
        const name = error instanceof Refusal ? error.message : 'InvalidCiphertextException';
        response.writeHead(400).end(JSON.stringify({ __type: name, message: 'refused' }));
      }
    });
    return await listen(server);
  }

  #answer(operation: string, request: KmsRequest): object {
    switch (operation) {
      case 'GenerateDataKey': {
        const key = randomBytes(32);
        return base64({ KeyId: request.KeyId, Plaintext: key, CiphertextBlob: this.#wrap(request, key) });
      }
      case 'Decrypt':
        return base64({ KeyId: request.KeyId, Plaintext: this.#unwrap(request) });
      default:
        throw new Refusal('UnknownOperationException');
    }
  }

  #wrap({ KeyId, EncryptionContext }: KmsRequest, key: Uint8Array): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', sha256(this.#secret + KeyId), nonce).setAAD(aad(EncryptionContext));
    const encrypted = Buffer.concat([cipher.update(key), cipher.final()]);
    return Buffer.concat([sha256(KeyId), nonce, cipher.getAuthTag(), encrypted]);
  }

  #unwrap({ KeyId, EncryptionContext, CiphertextBlob = '' }: KmsRequest): Buffer {
    const bytes = Buffer.from(CiphertextBlob, 'base64');
    if (!bytes.subarray(0, FINGERPRINT_BYTES).equals(sha256(KeyId))) throw new Refusal('IncorrectKeyException');
    const nonceEnd = FINGERPRINT_BYTES + NONCE_BYTES;
    const nonce = bytes.subarray(FINGERPRINT_BYTES, nonceEnd);
    const decipher = createDecipheriv('aes-256-gcm', sha256(this.#secret + KeyId), nonce)
      .setAAD(aad(EncryptionContext))
      .setAuthTag(bytes.subarray(nonceEnd, nonceEnd + TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(nonceEnd + TAG_BYTES)), decipher.final()]);
  }
}

function aad(context: Readonly<Record<string, string>>): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context).sort()));
}

function base64(fields: Readonly<Record<string, string | Buffer>>): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? value : value.toString('base64')]),
  );
}
