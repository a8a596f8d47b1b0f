import type { SendCommand } from '#shared/contracts/commands.ts';

const CONVERSATION = 0x0a;

/** A protobuf `Message` with nothing but text (field 1), which is all a scripted message ever holds. */
export function encodeText(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  let rest = bytes.length;
  while (rest > 0x7f) {
    length.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.concat([Buffer.from([CONVERSATION, ...length, rest]), bytes]);
}

/** Reads what `encodeText` wrote. */
export function decodeText(content: Uint8Array): string {
  let start = 1;
  while (((content[start] ?? 0) & 0x80) !== 0) start += 1;
  return Buffer.from(content.subarray(start + 1)).toString();
}

/** What a person would read of a send. */
export function textOf(command: SendCommand): string {
  switch (command.type) {
    case 'sendText':
    case 'editMessage':
      return command.text;
    case 'sendImage':
    case 'sendFile':
    case 'sendVideo':
      return command.caption ?? '';
    case 'sendPoll':
      return command.name;
    case 'sendReaction':
      return command.reaction;
    case 'sendLocation':
      return command.title ?? '';
    case 'sendContactVcard':
      return command.contacts.map(({ displayName }) => displayName).join(', ');
    case 'sendVoice':
    case 'forwardMessage':
    case 'deleteMessage':
      return '';
  }
}
