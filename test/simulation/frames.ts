import * as z from 'zod';

const frameSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('login'), paired: z.boolean() }),
  z.object({ kind: z.literal('pair-sign') }),
  z.object({ kind: z.literal('ping') }),
  z.object({ kind: z.literal('ack'), id: z.string() }),
  /** `n` is the position of the ratchet to the peer under which it is encrypted. */
  z.object({ kind: z.literal('msg'), id: z.string(), peer: z.string(), n: z.number(), content: z.string() }),
]);

/** What a client writes on its socket. */
export type Frame = z.infer<typeof frameSchema>;

export function encodeFrame(frame: Frame): Uint8Array {
  return Buffer.from(JSON.stringify(frame));
}

export function decodeFrame(bytes: Uint8Array): Frame {
  return frameSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
}

/** What the server keeps until the client acknowledges it. Times in seconds. */
export type Stanza =
  | {
      readonly kind: 'message';
      readonly id: string;
      readonly from: string;
      readonly n: number;
      readonly text: string;
      readonly t: number;
    }
  | {
      readonly kind: 'receipt';
      readonly id: string;
      readonly from: string;
      readonly messageId: string;
      readonly t: number;
    };

/** What the server writes. */
export type Told =
  | { readonly kind: 'qr' }
  | { readonly kind: 'pair-success' }
  | { readonly kind: 'success' }
  | { readonly kind: 'caught-up' }
  | { readonly kind: 'server-ack'; readonly id: string; readonly t: number }
  | { readonly kind: 'stanza'; readonly stanza: Stanza };
