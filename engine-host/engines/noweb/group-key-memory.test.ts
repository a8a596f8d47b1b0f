import { expect, test } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { AuthKeys } from './auth-keys.ts';
import { KeysRefusedError } from './group-key-memory.ts';
import { MarkedState } from './marked-state.ts';

const GROUP = '120363000000000001@g.us';

function setUp() {
  const keys = new AuthKeys(new MarkedState(new MemorySessionState()));
  const note = (members: Record<string, boolean> | null) => async () => {
    await keys.forBaileys.set({ 'sender-key-memory': { [GROUP]: members } });
  };
  const known = async () => (await keys.forBaileys.get('sender-key-memory', [GROUP]))[GROUP];
  return { keys, note, known };
}

test('what a send notes counts only once the server has the message', async () => {
  const { keys, note, known } = setUp();
  const confirm = await keys.groupMemory.during(keys.forBaileys, GROUP, note({ ann: true }));
  expect(await known()).toBeUndefined();
  await confirm();
  expect(await known()).toEqual({ ann: true });
});

test('two sends at once add up', async () => {
  const { keys, note, known } = setUp();
  const [first, second] = await Promise.all([
    keys.groupMemory.during(keys.forBaileys, GROUP, note({ ann: true })),
    keys.groupMemory.during(keys.forBaileys, GROUP, note({ ben: true })),
  ]);
  await first();
  await second();
  expect(await known()).toEqual({ ann: true, ben: true });
});

test('a reset in between wins', async () => {
  const { keys, note, known } = setUp();
  const confirm = await keys.groupMemory.during(keys.forBaileys, GROUP, note({ ann: true }));
  await note(null)();
  await confirm();
  expect(await known()).toBeUndefined();
});

test('outside of a send it is written at once', async () => {
  const { note, known } = setUp();
  await note({ ann: true })();
  expect(await known()).toEqual({ ann: true });
});

test('whoever is refused in a send that fails is not waited for again', async () => {
  const { keys, note, known } = setUp();
  await note({ ann: true })();
  const failing = async () => {
    keys.groupMemory.refuse(['ben']);
    throw new Error('nobody could be given the key');
  };
  await expect(keys.groupMemory.during(keys.forBaileys, GROUP, failing)).rejects.toThrow(KeysRefusedError);
  expect(await known()).toEqual({ ann: true, ben: true });
});

test('a send that fails for another reason, or to a person, leaves nothing behind', async () => {
  const { keys, known } = setUp();
  const failing = async () => {
    throw new Error('not connected');
  };
  await expect(keys.groupMemory.during(keys.forBaileys, GROUP, failing)).rejects.toThrow('not connected');
  const refused = async () => {
    keys.groupMemory.refuse(['ben']);
    throw new Error('nobody');
  };
  await expect(keys.groupMemory.during(keys.forBaileys, 'ben', refused)).rejects.toThrow('nobody');
  expect(await known()).toBeUndefined();
});
