/** `Content-Disposition` that downloads under this name; the plain form is for clients that cannot read the other. */
export function attachmentHeader(filename: string): string {
  const ascii = filename.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(filename.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** The file name in a `Content-Disposition` header, without any directory; undefined when there is none. */
export function filenameIn(header: string): string | undefined {
  const extended = /filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(header)?.[1];
  const plain = /filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(header);
  return baseName(decoded(extended) ?? plain?.[1]?.replace(/\\(.)/g, '$1') ?? plain?.[2] ?? '');
}

/** The last part of a path, without control characters; undefined when nothing is left of it. */
export function baseName(path: string): string | undefined {
  const last = path.split(/[/\\]/).at(-1) ?? '';
  const name = [...last]
    .filter((character) => character >= ' ' && character !== '\x7f')
    .join('')
    .trim();
  return name === '' || name === '.' || name === '..' ? undefined : name;
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
