import { spawn } from 'node:child_process';
import { cp, mkdir, stat } from 'node:fs/promises';
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
 * Runs a Dockerfile's steps with a plain folder for each stage's file system; a base that is no stage is an empty one. Commands see
 * the real file system, so they must stay inside their working directory. What it does not know it refuses.
 */
export class PlainBuild {
  readonly #options: PlainBuildOptions;
  readonly #built = new Map<string, Promise<StageBuild>>();
  readonly #withoutStages = new Set<string>();

  constructor(options: PlainBuildOptions) {
    this.#options = options;
  }

  /** For stages that cannot be built here: nothing is copied from them. */
  without(stages: readonly string[]): void {
    for (const stage of stages) this.#withoutStages.add(stage);
  }

  /**
   * Builds a stage, and before it those that it needs; each of them once.
   *
   * @throws StepError
   */
  async stage(name: string): Promise<BuiltImage> {
    return await this.#stage(name);
  }

  #stage(name: string): Promise<StageBuild> {
    const built = this.#built.get(name) ?? this.#build(name);
    this.#built.set(name, built);
    return built;
  }

  async #build(name: string): Promise<StageBuild> {
    const stage = this.#options.stages.find((candidate) => candidate.name === name);
    if (stage === undefined) throw new Error(`There is no stage ${name}.`);
    const build = new StageBuild(join(this.#options.folder, name), this.#options);
    if (this.#options.stages.some((other) => other.name === stage.base))
      await build.begin(await this.#stage(stage.base));
    for (const instruction of stage.instructions) {
      const { from } = instruction.options;
      if (from !== undefined && this.#withoutStages.has(from)) continue;
      if (from !== undefined) await this.#stage(from);
      await build.run(instruction);
    }
    return build;
  }
}

class StageBuild implements BuiltImage {
  readonly root: string;
  env: Readonly<Record<string, string>> = {};
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

  /** Goes on from another stage. */
  async begin(base: StageBuild): Promise<void> {
    const { workdir, user, env, entrypoint, command, healthCommand, stopSignal, volumes } = base;
    Object.assign(this, { workdir, user, env, entrypoint, command, healthCommand, stopSignal, volumes });
    await copyFolder(base.root, this.root);
  }

  async run({ keyword, options, text }: Instruction): Promise<void> {
    switch (keyword) {
      case 'ARG':
        this.#args[text] = this.#options.args[text] ?? '';
        return;
      case 'ENV':
        this.env = {
          ...this.env,
          ...Object.fromEntries([...text.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])),
        };
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
    const from = stage === undefined ? this.#options.context : join(this.#options.folder, stage);
    const target = words.at(-1) ?? '';
    for (const source of words.slice(0, -1)) {
      const path = join(from, source);
      // Of a folder it is the contents that are copied.
      const isInto = target.endsWith('/') && (await stat(path)).isFile();
      const to = this.#here(isInto ? posix.join(target, posix.basename(source)) : target);
      await mkdir(dirname(to), { recursive: true });
      await copyFolder(path, to);
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

/** Or a file. Links stay what they are. */
const copyFolder = (from: string, to: string) => cp(from, to, { recursive: true, verbatimSymlinks: true });
