import {
  DEFAULT_CONNECTION_CONFIG,
  type SignalRepositoryWithLIDStore,
  type SocketConfig,
} from '@whiskeysockets/baileys';
import type { AuthKeys } from './auth-keys.ts';
import { isBundleSigned } from './bundle-signature.ts';
import { readContent, unpadded } from './rebuild-message.ts';
import type { StanzaIntake } from './stanza-intake.ts';

type MakeSignalRepository = SocketConfig['makeSignalRepository'];
type LookUp = Parameters<MakeSignalRepository>[2];

const LOOK_UP_TIMEOUT_MS = 10_000;

/**
 * The factory that gives one account's keys to Baileys. It is called while the socket is built, before anything runs,
 * with the very object every part of Baileys uses for keys: overwriting that object's methods replaces its key layer.
 * @param distrusted called where a device gets no session because its keys are signed by somebody else
 */
export function signalRepositoryOver(
  keys: AuthKeys,
  intake: StanzaIntake,
  distrusted: () => void,
): MakeSignalRepository {
  return (auth, logger, lookUp) => {
    Object.assign(auth.keys, keys.forBaileys);
    const stock = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(
      { creds: auth.creds, keys: keys.forSignal },
      logger,
      withTimeout(lookUp),
    );
    return guarded(stock, keys, intake, distrusted);
  };
}

/** Every method that touches sessions or sender keys becomes one operation, the ones that only look included. */
function guarded(
  stock: SignalRepositoryWithLIDStore,
  keys: AuthKeys,
  intake: StanzaIntake,
  distrusted: () => void,
): SignalRepositoryWithLIDStore {
  return {
    lidMapping: stock.lidMapping,
    jidToSignalProtocolAddress: (jid) => stock.jidToSignalProtocolAddress(jid),
    decryptMessage: (options) =>
      intake.decrypt(options.ciphertext, (alongside) => {
        const work = () => withGroupKey(stock, stock.decryptMessage(options), intake.authorOf(options.ciphertext));
        return options.type === 'msg' ? keys.operateBySession(work, alongside) : keys.operate(work, alongside);
      }),
    decryptGroupMessage: (options) =>
      intake.decrypt(options.msg, (alongside) => keys.operate(() => stock.decryptGroupMessage(options), alongside)),
    // Taken with the message it came in, within its record.
    processSenderKeyDistributionMessage: async () => undefined,
    encryptMessage: (options) => keys.operate(() => stock.encryptMessage(options)),
    encryptGroupMessage: (options) => keys.operate(() => stock.encryptGroupMessage(options)),
    getSenderKeyDistributionMessage: (options) => keys.operate(() => stock.getSenderKeyDistributionMessage(options)),
    hasSenderKey: (options) => keys.operate(() => stock.hasSenderKey(options)),
    getSessionInfo: (jid) => keys.operate(() => stock.getSessionInfo(jid)),
    // No exception: the others whose keys came in the same answer get theirs.
    injectE2ESession: async (options) => {
      if (isBundleSigned(options.session)) await keys.operate(() => stock.injectE2ESession(options));
      else distrusted();
    },
    validateSession: (jid) => keys.operate(() => stock.validateSession(jid)),
    migrateSession: (from, to) => keys.operate(() => stock.migrateSession(from, to)),
    deleteSession: (jids) => keys.operate(() => stock.deleteSession(jids)),
    close: () => stock.close?.(),
  };
}

/** Takes the group key that a message may carry, within the operation that decrypts it: neither is kept without the other. */
async function withGroupKey(
  stock: SignalRepositoryWithLIDStore,
  decryption: Promise<Uint8Array>,
  authorJid: string | undefined,
): Promise<Uint8Array> {
  const plaintext = await decryption;
  const item = readContent(unpadded(plaintext)).senderKeyDistributionMessage;
  if (item && authorJid) await stock.processSenderKeyDistributionMessage({ authorJid, item });
  return plaintext;
}

/** Encrypting may ask the server for a LID while the account's lock is held: it must not hold it for a minute. */
function withTimeout(lookUp: LookUp): LookUp {
  if (!lookUp) return undefined;
  return async (jids) => {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), LOOK_UP_TIMEOUT_MS);
    });
    return Promise.race([lookUp(jids), timeout]).finally(() => clearTimeout(timer));
  };
}
