import { expect, test } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { AuthKeys } from './auth-keys.ts';
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
  const confirm = await keys.groupMemory.during(note({ ann: true }));
  expect(await known()).toBeUndefined();
  await confirm(keys.forBaileys);
  expect(await known()).toEqual({ ann: true });
});

test('two sends at once add up', async () => {
  const { keys, note, known } = setUp();
  const [first, second] = await Promise.all([
    keys.groupMemory.during(note({ ann: true })),
    keys.groupMemory.during(note({ ben: true })),
  ]);
  await first(keys.forBaileys);
  await second(keys.forBaileys);
  expect(await known()).toEqual({ ann: true, ben: true });
});

test('a reset in between wins', async () => {
  const { keys, note, known } = setUp();
  const confirm = await keys.groupMemory.during(note({ ann: true }));
  await note(null)();
  await confirm(keys.forBaileys);
  expect(await known()).toBeUndefined();
});

test('outside of a send it is written at once', async () => {
  const { note, known } = setUp();
  await note({ ann: true })();
  expect(await known()).toEqual({ ann: true });
});
