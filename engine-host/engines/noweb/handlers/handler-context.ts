import type { WAMessageKey, WASocket } from '@whiskeysockets/baileys';
import type { WaMedia } from '#shared/contracts/message.ts';
import type { EngineContext } from '../../engine.ts';
import type { AuthKeys } from '../auth-keys.ts';
import type { Phase } from '../connection.ts';
import type { GroupCache } from '../group-cache.ts';
import type { MediaQueue } from '../media-queue.ts';
import type { MediaContent } from '../msgconv/content.ts';
import type { PicturePreviews } from '../picture-preview.ts';
import type { Sender } from '../sender.ts';

/** What command handlers work with. */
export interface HandlerContext {
  readonly context: EngineContext;
  readonly sender: Sender;
  readonly previews: Pick<PicturePreviews, 'of'>;
  /** Media that is sent, on the whole host. */
  readonly uploads: MediaQueue;
  /** Gets media from WhatsApp into the media bucket; what went wrong is in the answer. */
  storeMedia(key: WAMessageKey, media: MediaContent): Promise<WaMedia>;
  /** Tells of media that is in the bucket now. Resolves when that would survive the host. */
  mediaStored(key: WAMessageKey, media: WaMedia): Promise<void>;
  /** The account once it is connected; waits for the end of a short drop, not for a pairing or a long one. */
  mended(): Promise<LiveAccount | undefined>;
  /** The socket whatever the connection is doing, for what is possible before pairing. */
  current(): { readonly sock: WASocket; readonly phase: Phase } | undefined;
}

export interface LiveAccount {
  readonly sock: WASocket;
  readonly keys: AuthKeys;
  readonly groups: GroupCache;
  /** The account's own JID, without device. */
  readonly meJid: string;
}
