import { DOUBLE_BYTE_TOKENS, SINGLE_BYTE_TOKENS } from '@whiskeysockets/baileys/lib/WABinary/constants.js';

/** The tag bytes that start a value. Bytes 1 to 235 are single byte tokens; 240 to 244 are not in use. */
export const TAG = {
  listEmpty: 0,
  dictionary0: 236,
  dictionary3: 239,
  interopJid: 245,
  fbJid: 246,
  adJid: 247,
  list8: 248,
  list16: 249,
  jidPair: 250,
  hex: 251,
  binary8: 252,
  binary20: 253,
  binary32: 254,
  nibble: 255,
} as const;

/** Domain byte of an AD_JID for each server that has device addresses. */
export const AD_DOMAINS: ReadonlyMap<string, number> = new Map([
  ['s.whatsapp.net', 0],
  ['lid', 1],
  ['hosted', 128],
  ['hosted.lid', 129],
]);

/** The text of a single byte token, 1 to 235. */
export function singleByteToken(index: number): string | undefined {
  return index > 0 ? SINGLE_BYTE_TOKENS[index] : undefined;
}

/** The text of a token in one of the four dictionaries. */
export function dictionaryToken(dictionary: number, index: number): string | undefined {
  return DOUBLE_BYTE_TOKENS[dictionary]?.[index];
}

/** The one or two bytes that stand for each known text. */
export const TOKEN_BYTES: ReadonlyMap<string, readonly number[]> = new Map([
  ...SINGLE_BYTE_TOKENS.map((text, index): [string, number[]] => [text, [index]]).slice(1),
  ...DOUBLE_BYTE_TOKENS.flatMap((words: readonly string[], dictionary) =>
    words.map((text, index): [string, number[]] => [text, [TAG.dictionary0 + dictionary, index]]),
  ),
]);
