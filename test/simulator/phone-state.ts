import type { Script } from './script.ts';
import type { SenderKey } from './sender-keys.ts';
import type { SignalStoreState } from './signal-store.ts';

/** What a snapshot keeps of a simulated phone: its Signal state and its script, not its inbox. */
export interface PhoneState {
  readonly signal: SignalStoreState;
  readonly senderKeys: readonly (readonly [string, SavedSenderKey])[];
  readonly distributed: readonly (readonly [string, readonly string[]])[];
  readonly appStateKey: { readonly id: Buffer; readonly data: Buffer };
  readonly script: Script;
}

type SavedSenderKey = Omit<SenderKey, 'skipped'> & { readonly skipped: readonly (readonly [number, Buffer])[] };

export const writeSenderKey = (key: SenderKey): SavedSenderKey => ({ ...key, skipped: [...key.skipped] });
export const readSenderKey = (saved: SavedSenderKey): SenderKey => ({ ...saved, skipped: new Map(saved.skipped) });
