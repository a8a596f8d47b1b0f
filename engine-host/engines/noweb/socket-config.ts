import {
  type AuthenticationCreds,
  type GroupMetadata,
  proto,
  type UserFacingSocketConfig,
  type WAMessageKey,
} from '@whiskeysockets/baileys';
import type { SessionConfig } from '#shared/contracts/session.ts';
import type { AuthKeys } from './auth-keys.ts';
import type { ExpiringCache } from './expiring-cache.ts';
import type { NowebSettings } from './options.ts';
import { quietLogger } from './quiet-logger.ts';
import { signalRepositoryOver } from './signal-repository.ts';
import type { StanzaIntake } from './stanza-intake.ts';

/** What one account brings to its sockets; it outlives each of them. */
export interface SocketAccount {
  readonly creds: AuthenticationCreds;
  readonly keys: AuthKeys;
  readonly intake: StanzaIntake;
  readonly devices: ExpiringCache;
  readonly retries: ExpiringCache;
  readonly calls: ExpiringCache;
  readonly placeholders: ExpiringCache;
  /** What is to be sent again. */
  getMessage(key: WAMessageKey): Promise<proto.IMessage | undefined>;
  groupMetadata(jid: string): Promise<GroupMetadata | undefined>;
  /** Whether a stanza from here is acknowledged and not looked at. */
  passesOver(jid: string): boolean;
  /** A device gets no session because its keys are signed by somebody else. */
  distrusted(): void;
}

const { HistorySyncType } = proto.HistorySync;
/** Chunks of old messages; nothing here reads them, and waiting for them would hold back the first live messages. */
const UNWANTED_HISTORY: ReadonlySet<unknown> = new Set([
  HistorySyncType.RECENT,
  HistorySyncType.FULL,
  HistorySyncType.ON_DEMAND,
]);

/** Its own watch over the connection is replaced by `ConnectionWatch`. The longest time a timer of Node takes. */
const NEVER_MS = 2 ** 31 - 1;

export function socketConfig(
  account: SocketAccount,
  config: SessionConfig,
  settings: NowebSettings,
): UserFacingSocketConfig {
  return {
    auth: { creds: account.creds, keys: account.keys.forBaileys },
    makeSignalRepository: signalRepositoryOver(account.keys, account.intake, () => account.distrusted()),
    waWebSocketUrl: settings.whatsappUrl,
    connectTimeoutMs: settings.connectTimeoutMs,
    keepAliveIntervalMs: NEVER_MS,
    ...(settings.qrLifetimeMs === undefined ? {} : { qrTimeout: settings.qrLifetimeMs }),
    logger: quietLogger,
    browser: [
      config.client?.deviceName ?? settings.deviceName,
      config.client?.browserName ?? settings.browserName,
      '14.4.1',
    ],
    markOnlineOnConnect: config.noweb?.markOnline ?? true,
    syncFullHistory: false,
    shouldSyncHistoryMessage: ({ syncType }) => !UNWANTED_HISTORY.has(syncType),
    shouldIgnoreJid: (jid) => account.passesOver(jid),
    emitOwnEvents: false,
    generateHighQualityLinkPreview: false,
    transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 0 },
    userDevicesCache: account.devices,
    msgRetryCounterCache: account.retries,
    callOfferCache: account.calls,
    placeholderResendCache: account.placeholders,
    getMessage: (key) => account.getMessage(key),
    cachedGroupMetadata: (jid) => account.groupMetadata(jid),
  };
}
