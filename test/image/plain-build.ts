import { spawn } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { Instruction, Stage } from './dockerfile.ts';

/** What an image says about how it is run. */
export interface BuiltImage {
  /** The folder that stands for `/`. */
  readonly root: string;
  readonly workdir: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthCommand: readonly string[];
  readonly stopSignal: string;
  /** Places that can be written where the root cannot. */
  readonly volumes: readonly string[];
}

export interface PlainBuildOptions {
  readonly stages: readonly Stage[];
  /** The build's context, already without what it ignores. */
  readonly context: string;
  /** Gets a folder per stage. */
  readonly folder: string;
  readonly args: Readonly<Record<string, string>>;
  /** Stages that need the base image itself; they are not run, and nothing is copied from them. */
  readonly withoutStages: readonly string[];
}

/** A step of the build failed. */
export class StepError extends Error {
  readonly output: string;

  constructor(command: string, output: string) {
    super(`${command}\n${output}`);
    this.output = output;
  }
}

/**
 * Runs a Dockerfile's steps with a plain folder for each stage's file system. Commands see the real one, so they must
 * stay inside their working directory. What it does not know it refuses.
 */
export async function buildInFolder(options: PlainBuildOptions): Promise<BuiltImage> {
  let last: StageBuild | undefined;
  for (const stage of options.stages) {
    if (options.withoutStages.includes(stage.name)) continue;
    last = new StageBuild(join(options.folder, stage.name), options);
    for (const instruction of stage.instructions) await last.run(instruction);
  }
  if (last === undefined) throw new Error('No stage was built.');
  return last;
}

class StageBuild implements BuiltImage {
  readonly root: string;
  readonly env: Record<string, string> = {};
  workdir = '/';
  user = 'root';
  entrypoint: readonly string[] = [];
  command: readonly string[] = [];
  healthCommand: readonly string[] = [];
  stopSignal = 'SIGTERM';
  volumes: readonly string[] = [];
  readonly #options: PlainBuildOptions;
  readonly #args: Record<string, string> = {};

  constructor(root: string, options: PlainBuildOptions) {
    this.root = root;
    this.#options = options;
  }

  async run({ keyword, options, text }: Instruction): Promise<void> {
    switch (keyword) {
      case 'ARG':
        this.#args[text] = this.#options.args[text] ?? '';
        return;
      case 'ENV':
        for (const [, name = '', value = ''] of text.matchAll(/(\w+)=(\S+)/g)) this.env[name] = value;
        return;
      case 'WORKDIR':
        this.workdir = posix.resolve(this.workdir, text);
        await mkdir(this.#here('.'), { recursive: true });
        return;
      case 'COPY':
        return await this.#copy(text.split(/\s+/), options.from);
      case 'RUN':
        return await this.#runCommand(text);
      case 'USER':
        this.user = text;
        return;
      case 'VOLUME':
        this.volumes = JSON.parse(text);
        return;
      case 'STOPSIGNAL':
        this.stopSignal = text;
        return;
      case 'ENTRYPOINT':
        this.entrypoint = JSON.parse(text);
        return;
      case 'CMD':
        this.command = JSON.parse(text);
        return;
      case 'HEALTHCHECK':
        this.healthCommand = JSON.parse(text.replace(/^CMD\s+/, ''));
        return;
      default:
        throw new Error(`${keyword} is not known here.`);
    }
  }

  #here(path: string): string {
    return join(this.root, posix.resolve(this.workdir, path));
  }

  async #copy(words: readonly string[], stage: string | undefined): Promise<void> {
    if (stage !== undefined && this.#options.withoutStages.includes(stage)) return;
    const from = stage === undefined ? this.#options.context : join(this.#options.folder, stage);
    const target = words.at(-1) ?? '';
    for (const source of words.slice(0, -1)) {
      const to = this.#here(target.endsWith('/') ? posix.join(target, posix.basename(source)) : target);
      await mkdir(dirname(to), { recursive: true });
      await cp(join(from, source), to, { recursive: true });
    }
  }

  async #runCommand(command: string): Promise<void> {
    // The image has Node in its path; here it is the one that runs the tests.
    const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
    const child = spawn('/bin/sh', ['-ec', command], {
      cwd: this.#here('.'),
      env: { HOME: process.env.HOME, npm_config_prefer_offline: 'true', ...this.env, ...this.#args, PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new StepError(command, output);
  }
}
