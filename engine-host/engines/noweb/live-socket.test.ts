import { DEFAULT_CONNECTION_CONFIG, initAuthCreds } from '@whiskeysockets/baileys';
import { expect, onTestFinished, test } from 'vitest';
import { listenForClients } from '#test/simulator/wire/test-listener.ts';
import { eventually } from '../engine-harness.ts';
import { MemorySessionState } from '../memory-session-state.ts';
import { AuthKeys } from './auth-keys.ts';
import { WHATSAPP_ROOT_KEY } from './certificate-chain.ts';
import type { Disconnect } from './disconnect-policy.ts';
import { LiveSocket, type SocketTaps } from './live-socket.ts';
import { MarkedState } from './marked-state.ts';
import { quietLogger } from './quiet-logger.ts';

const never = () => {};
const SETTINGS = { openingMs: 60_000, pingMs: 60_000, pingAnswerMs: 60_000, rootKey: WHATSAPP_ROOT_KEY, now: Date.now };

test('a frame that wants to leave before the server has answered stays, and ends the connection', async () => {
  const listener = await listenForClients(never);
  onTestFinished(() => listener.close());
  const { forBaileys: keys } = new AuthKeys(new MarkedState(new MemorySessionState()));
  const frames: Uint8Array[] = [];
  const ends: Disconnect[] = [];
  const taps: SocketTaps = {
    credsChanged: never,
    event: never,
    attached: never,
    caughtUp: never,
    frame: (frame) => frames.push(frame),
    isHeldBack: () => false,
    died: never,
  };
  const live = new LiveSocket(
    {
      auth: { creds: initAuthCreds(), keys },
      makeSignalRepository: (auth, logger, lookUp) => {
        Object.assign(auth.keys, keys);
        return DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, logger, lookUp);
      },
      waWebSocketUrl: listener.url,
      logger: quietLogger,
    },
    { qr: never, opened: never, identified: never, closed: (disconnect) => ends.push(disconnect) },
    taps,
    SETTINGS,
  );
  onTestFinished(() => live.close());
  await eventually('the hello', () => frames[0]);
  await live.sock.sendRawMessage(Buffer.from('who we are'));
  expect(frames).toHaveLength(1);
  expect(ends).toMatchObject([{ distrust: 'server-identity' }]);
});
