import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const manifestSchema = z.object({ name: z.string(), version: z.string(), license: z.string().optional() });
const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.|-|$)/i;

/** Names, versions and licences of packages, with the texts they ship: what a bundle has to carry with it. */
export async function licenceTexts(folders: readonly string[]): Promise<string> {
  const texts = await Promise.all(
    folders.map(async (folder) => {
      const manifest = manifestSchema.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
      const files = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).sort();
      const contents = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
      const title = `${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})`;
      return [title, ...contents.map((text) => text.trim())].join('\n\n');
    }),
  );
  return `${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
