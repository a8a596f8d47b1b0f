import type { SessionState, StateChange } from '../engine.ts';
import { skipPreKeyIds } from './auth-creds.ts';
import { decodeKey, encodeKey } from './key-codec.ts';
import { PatchedValues } from './patched-values.ts';
import { closeSessions, isOwnSenderKey } from './signal-guards.ts';

/** More than an account makes in the days that backups reach back; ids have three bytes. */
const SKIPPED_PRE_KEYS = 10_000;

/**
 * What makes a login from a backup safe: its ratchets may have moved on since. Nothing is encrypted with any of them again;
 * contacts and groups get new ones with the next message to them, as after any lost session. The old ones still read what comes in them.
 */
export function afterRestore(state: Pick<SessionState, 'get' | 'keys'>, now: number): readonly StateChange[] {
  const values = new PatchedValues(state);
  const sessions = values.keys('session/').flatMap((key) => {
    const stored = values.get(key);
    if (stored === undefined) return [];
    return values.set({ key, value: encodeKey('session', closeSessions(decodeKey('session', stored), now)) });
  });
  const ownGroupKeys = values.keys('sender-key/').flatMap((key) => {
    const stored = values.get(key);
    const isOwn = stored !== undefined && isOwnSenderKey(decodeKey('sender-key', stored));
    return isOwn ? values.set({ key, value: null }) : [];
  });
  // Who has been given a group's key has to be given the new one.
  const given = state.keys('sender-key-memory/').map((key) => ({ key, value: null }));
  return [...sessions, ...ownGroupKeys, ...given, ...skipPreKeyIds(state, SKIPPED_PRE_KEYS)];
}
