import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type ClientOptions, TestClient } from './client-under-test.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts';

/** A simulator for the tests of one file, and clients that are closed after each test. */
export interface TestBed {
  readonly simulator: Simulator;
  client(options?: ClientOptions): TestClient;
}

/**
 * Starts a simulator before the file's tests and closes it after them. The file fails at its end when a client broke
 * the protocol or asked something the simulator does not know.
 */
export function useSimulator(options: SimulatorOptions = {}): TestBed {
  let simulator: Simulator | undefined;
  let clients: TestClient[] = [];
  beforeAll(async () => {
    simulator = await startSimulator(options);
  });
  afterEach(async () => {
    simulator?.clearFaults();
    await Promise.all(clients.map((each) => each.close()));
    clients = [];
  });
  afterAll(async () => {
    if (!simulator) return;
    const { violations, unknownIqs, unknownStanzas } = simulator.stats();
    await simulator.close();
    expect({ violations, unknownIqs, unknownStanzas }).toEqual({ violations: [], unknownIqs: {}, unknownStanzas: {} });
  });
  const running = (): Simulator => {
    if (!simulator) throw new Error('the simulator runs only during tests');
    return simulator;
  };
  return {
    get simulator() {
      return running();
    },
    client(clientOptions = {}) {
      const made = new TestClient(running(), clientOptions);
      clients.push(made);
      return made;
    },
  };
}
