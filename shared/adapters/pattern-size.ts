/** What a pattern consists of: escapes, classes, brackets, bounded repeats, anything else. */
const TOKEN =
  /\\[pPx]\{[^}]*\}|\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:P?<\w+>|[a-zA-Z-]*:?))?|\)|\{(\d+)(?:,(\d*))?\}|./gsu;

/**
 * How many instructions an RE2 pattern has, roughly and without compiling it: each bounded repeat has what it repeats as often as it
 * may repeat it.
 */
export function estimatedSize(pattern: string): number {
  // Sizes of what is open: of all before its last part, and of that.
  const open: { before: number; last: number }[] = [{ before: 0, last: 0 }];
  for (const [token, least, most] of pattern.matchAll(TOKEN)) {
    const group = open.at(-1) ?? { before: 0, last: 0 };
    if (least !== undefined) {
      group.last *= Math.max(1, Number(least), Number(most || least));
    } else if (token.startsWith('(')) {
      open.push({ before: 1, last: 0 });
    } else if (token === ')' && open.length > 1) {
      open.pop();
      append(open.at(-1) ?? group, group.before + group.last);
    } else {
      append(group, 1);
    }
  }
  return open.reduce((sum, { before, last }) => sum + before + last, 0);
}

function append(group: { before: number; last: number }, size: number): void {
  group.before += group.last;
  group.last = size;
}
