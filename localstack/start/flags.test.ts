import { describe, expect, it } from 'vitest';
import { FlagError, parseFlags } from './flags.ts';

describe('flags of npm start', () => {
  it('have defaults', () => {
    expect(parseFlags([])).toEqual({ port: 3000, dataDir: '.trunkline', hosts: 1, simulator: false });
  });

  it('are read', () => {
    expect(parseFlags(['--port', '8081', '--data', 'x/y', '--hosts=3', '--simulator'])).toEqual({
      port: 8081,
      dataDir: 'x/y',
      hosts: 3,
      simulator: true,
    });
  });

  it('may leave the number of hosts to the load', () => {
    expect(parseFlags(['--hosts', 'auto']).hosts).toBe('auto');
  });

  it.each([
    [['--port', 'http'], /--port takes a whole number from 0 to 65535/],
    [['--port', '70000'], /--port/],
    [['--hosts', '0'], /--hosts takes a whole number from 1 to 16, or auto/],
    [['--hosts', 'many'], /--hosts takes a whole number from 1 to 16, or auto/],
    [['--host', '2'], /--host/],
    [['serve'], /serve/],
  ])('%j is refused with a sentence', (args, message) => {
    expect(() => parseFlags(args)).toThrow(FlagError);
    expect(() => parseFlags(args)).toThrow(message);
  });
});
