import type { ChatId } from '#shared/domain/chat-id.ts';
import { parseChatId } from '#shared/domain/chat-id.ts';
import { startSimulator } from '#test/simulator/simulator.ts';
import { defineEngineContract, type EngineUnderTest } from './engine-contract.ts';
import { createNowebEngineFactory } from './noweb/noweb-engine-factory.ts';
import { createScriptedEngineFactory } from './scripted/engine-factory.ts';
import { EngineScript } from './scripted/engine-script.ts';

const OWN_PHONE = '4915100000001';
const STRANGER = chat('4915999999999');

function chat(phone: string): ChatId {
  const id = parseChatId(phone);
  if (!id) throw new Error('not a phone number');
  return id;
}

defineEngineContract('scripted', async (): Promise<EngineUnderTest> => {
  const script = new EngineScript();
  const session = script.session('contract');
  const contact = chat('4915111111111');
  session.strangers.add(STRANGER);
  return {
    factory: createScriptedEngineFactory(script),
    session: 'contract',
    contact,
    stranger: STRANGER,
    pair: async () => session.pair(),
    receive: async (text) => {
      session.receive(contact, text);
    },
    delivered: async () => session.sent.map(({ messageId, text }) => ({ id: messageId, text })),
    close: async () => undefined,
  };
});

defineEngineContract('NOWEB against the simulator', async (): Promise<EngineUnderTest> => {
  const simulator = await startSimulator();
  const { phone } = simulator.addContact({ name: 'Contact' });
  return {
    factory: createNowebEngineFactory({
      whatsappUrl: simulator.wsUrl,
      whatsappRootKey: simulator.rootKey,
      qrCodes: 3,
    }),
    session: 'contract',
    contact: chat(phone),
    stranger: STRANGER,
    pair: async (qr) => {
      await simulator.scanQr(qr, OWN_PHONE);
    },
    receive: async (text) => {
      await simulator.send(phone, { to: OWN_PHONE, text });
    },
    delivered: async () => (await simulator.inbox(phone)).map(({ id, text }) => ({ id, text: text ?? '' })),
    close: () => simulator.close(),
  };
});
