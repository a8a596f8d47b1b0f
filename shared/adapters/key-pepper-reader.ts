import { KeyPepper } from '../domain/key-pepper.ts';
import type { ReadPepper } from '../ports/read-pepper.ts';

/** @param readSecret asks for it where it is kept */
export function createPepperReader(readSecret: () => Promise<string>): ReadPepper {
  let reading: Promise<KeyPepper> | undefined;
  return async () => {
    reading ??= readSecret().then((secret) => new KeyPepper(secret));
    try {
      return await reading;
    } catch (error) {
      reading = undefined;
      throw error;
    }
  };
}
