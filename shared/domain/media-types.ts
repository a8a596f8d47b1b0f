/** Sends that carry a file. */
export type MediaSend = 'sendImage' | 'sendVoice' | 'sendVideo' | 'sendFile';

export interface SaidAndFound {
  /** What the client says, or else the server of the file; undefined: nothing. */
  readonly said: string | undefined;
  /** What the bytes are, as the library file-type names it; undefined: it does not know them. */
  readonly found: string | undefined;
}

export type MediaTyping =
  | { readonly kind: 'taken'; readonly mimetype: string }
  /** `rule` is what the file breaks: `must be video/mp4, and is video/quicktime`. */
  | { readonly kind: 'refused'; readonly rule: string };

interface Taken {
  /** What may be said. Servers and clients know kinds; exact types they often get wrong. */
  readonly said: RegExp;
  /** What the bytes have to be: what WhatsApp's apps show or play. */
  readonly found: readonly string[];
}

const UNKNOWN = 'application/octet-stream';
const TAKEN: Readonly<Record<Exclude<MediaSend, 'sendFile'>, Taken>> = {
  sendImage: { said: /^image\//, found: ['image/jpeg', 'image/png', 'image/webp', 'image/gif'] },
  sendVoice: { said: /^(?:audio\/|(?:application|video)\/ogg$)/, found: ['audio/ogg; codecs=opus'] },
  sendVideo: { said: /^(?:video\/|application\/mp4$)/, found: ['video/mp4'] },
};
/** The same formats under names of their own. */
const ALIASES: Readonly<Record<string, string>> = { 'image/apng': 'image/png', 'video/x-m4v': 'video/mp4' };
/** What is said where nothing is known. */
const NOTHING_SAID =
  /^(?:(?:application|binary)\/(?:x-)?octet-stream|application\/(?:x-)?(?:binary|download|force-download|unknown)|\*\/\*)$/;
const TYPE = /^[\w!#$&^.+*-]{1,100}\/[\w!#$&^.+*-]{1,100}$/;

/** @returns the rule that a file breaks by what is said of its type, whatever its bytes are; for a sentence about the file */
export function saidRuleBrokenBy(send: MediaSend, said: string | undefined): string | undefined {
  const type = typeIn(said);
  if (send === 'sendFile' || type === undefined || TAKEN[send].said.test(type)) return undefined;
  return `${mustBe(TAKEN[send])}, not ${type}`;
}

/** Holds a file to what its send takes: both what is said of its type and what its bytes are. A document may be anything. */
export function mediaType(send: MediaSend, { said, found }: SaidAndFound): MediaTyping {
  const type = typeIn(said);
  if (send === 'sendFile') {
    return { kind: 'taken', mimetype: (type === undefined ? undefined : said) ?? found ?? said ?? UNKNOWN };
  }
  const broken = saidRuleBrokenBy(send, said);
  if (broken !== undefined) return { kind: 'refused', rule: broken };
  const taken = TAKEN[send];
  const known = found === undefined ? undefined : (ALIASES[found] ?? found);
  if (known === undefined) return { kind: 'refused', rule: `${mustBe(taken)}, and its content is not` };
  if (!taken.found.includes(known)) return { kind: 'refused', rule: `${mustBe(taken)}, and is ${known}` };
  return { kind: 'taken', mimetype: type !== undefined && taken.found.includes(type) ? type : known };
}

/** Without parameters; undefined for what says nothing. */
function typeIn(said: string | undefined): string | undefined {
  const type = said?.split(';')[0]?.trim().toLowerCase() ?? '';
  return TYPE.test(type) && !NOTHING_SAID.test(type) ? type : undefined;
}

function mustBe({ found }: Taken): string {
  return `must be ${[found.slice(0, -1).join(', '), found.at(-1)].filter((part) => part !== '').join(' or ')}`;
}
