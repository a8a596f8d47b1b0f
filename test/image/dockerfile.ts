/** One line of a Dockerfile, continuations joined. */
export interface Instruction {
  /** In capitals. */
  readonly keyword: string;
  /** `--name=value` before the rest. */
  readonly options: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** Reads what this project's Dockerfiles use of the language: no here-documents, no escape directive. */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const instruction of instructions(text)) {
    if (instruction.keyword === 'FROM') {
      const [base = '', , name = `stage ${stages.length}`] = instruction.text.split(/\s+/);
      stages.push({ name, base, instructions: [] });
    } else {
      // Before the first stage there are only arguments for the bases.
      stages.at(-1)?.instructions.push(instruction);
    }
  }
  return stages;
}

function instructions(text: string): readonly Instruction[] {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  return lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .flatMap((line) => {
      const [keyword = '', ...words] = line.trim().split(/\s+/);
      if (keyword === '') return [];
      const options: Record<string, string> = {};
      while (words[0]?.startsWith('--')) {
        const [, name = '', value = ''] = /^--([^=]+)=(.*)$/.exec(words.shift() ?? '') ?? [];
        options[name] = value;
      }
      const rest = line.trim().slice(keyword.length).trimStart();
      const skipped = Object.entries(options).reduce((sum, [name, value]) => sum + `--${name}=${value} `.length, 0);
      return [{ keyword: keyword.toUpperCase(), options, text: rest.slice(skipped) }];
    });
}
