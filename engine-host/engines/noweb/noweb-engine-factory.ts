import type { EngineFactory } from '../engine.ts';
import { CAPABILITIES } from './handlers/create-handlers.ts';
import { InboxBudget } from './inbox-budget.ts';
import { MediaQueue, SMALL_BYTES } from './media-queue.ts';
import { verifySignaturesNatively } from './native-signatures.ts';
import { NowebEngine } from './noweb-engine.ts';
import { type NowebOptions, nowebSettings } from './options.ts';
import { PicturePreviews } from './picture-preview.ts';
import { afterRestore } from './restored-login.ts';
import { silenceLibsignal } from './silence-libsignal.ts';

const LARGE_DOWNLOADS = 2;

/**
 * Makes NOWEB engines. From the first call on, the Signal library prints nothing in this process, and Node verifies its
 * signatures.
 * @throws Error when the WhatsApp address is not one the engine may speak to, the root key not one it may trust there, or a
 * library is built differently
 */
export function createNowebEngineFactory(options: NowebOptions): EngineFactory {
  const settings = nowebSettings(options);
  silenceLibsignal();
  verifySignaturesNatively();
  const shared = {
    budget: new InboxBudget(settings.inboxLimits),
    previews: new PicturePreviews(),
    downloads: new MediaQueue({
      small: settings.mediaDownloads * SMALL_BYTES,
      large: LARGE_DOWNLOADS * settings.mediaMaxBytes,
    }),
    uploads: new MediaQueue({ small: settings.outgoingMediaBytes / 2, large: settings.outgoingMediaBytes / 2 }),
  };
  return {
    name: 'NOWEB',
    capabilities: new Set(CAPABILITIES),
    create: (context) => new NowebEngine(context, settings, shared),
    afterRestore,
  };
}
