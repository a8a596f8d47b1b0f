import type { EngineFactory } from '../engine.ts';
import { EngineScript } from './engine-script.ts';
import { type handlersOf, ScriptedEngine } from './scripted-engine.ts';

const CAPABILITIES = [
  'sendText',
  'sendImage',
  'sendFile',
  'sendVideo',
  'sendVoice',
  'sendLocation',
  'sendContactVcard',
  'sendPoll',
  'sendReaction',
  'forwardMessage',
  'editMessage',
  'deleteMessage',
  'sendSeen',
  'setTyping',
  'checkExists',
  'requestPairingCode',
] as const satisfies readonly (keyof ReturnType<typeof handlersOf>)[];

/**
 * @param script what happens on the other side; a test keeps it to pair, write and fail. Without one, sessions pair
 *   themselves at once and everything they send is acknowledged.
 */
export function createScriptedEngineFactory(script = new EngineScript({ pairsItself: true })): EngineFactory {
  return {
    name: 'SCRIPTED',
    capabilities: new Set(CAPABILITIES),
    create: (context) => new ScriptedEngine(context, script.session(context.session)),
  };
}
