import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, matchesGlob } from 'node:path';

interface Pattern {
  readonly glob: string;
  readonly takesBack: boolean;
}

/** Copies what a build would send to Docker: the folder without what its `.dockerignore` leaves out. */
export async function copyContext(from: string, to: string): Promise<void> {
  const patterns = readPatterns(await readFile(join(from, '.dockerignore'), 'utf8'));
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(from, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const ignored = isIgnored(path, patterns);
      if (entry.isDirectory()) {
        if (!ignored || patterns.some(({ glob, takesBack }) => takesBack && glob.startsWith(`${path}/`)))
          await visit(path);
      } else if (!ignored) {
        await mkdir(dirname(join(to, path)), { recursive: true });
        await cp(join(from, path), join(to, path));
      }
    }
  };
  await visit('');
}

function readPatterns(text: string): readonly Pattern[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ glob: line.replace(/^!/, ''), takesBack: line.startsWith('!') }));
}

/** The last pattern that matches the path or a folder above it decides. */
export function isIgnored(path: string, patterns: readonly Pattern[]): boolean {
  const parts = path.split('/');
  const above = parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
  const last = patterns.findLast(({ glob }) => above.some((candidate) => matchesGlob(candidate, glob)));
  return last !== undefined && !last.takesBack;
}
