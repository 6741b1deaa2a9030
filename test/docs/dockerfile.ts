import {
  DockerfileParser,
  type ModifiableInstruction,
  type PropertyInstruction,
} from 'dockerfile-ast';

/** One instruction of a Dockerfile, as it is used here. */
export interface DockerStep {
  readonly keyword: string;
  /** `--from=build` as `from` → `build`. */
  readonly flags: ReadonlyMap<string, string>;
  /** Everything behind the keyword and the flags, line continuations joined. */
  readonly text: string;
}

/** From one FROM to the next. */
export interface DockerStage {
  readonly name: string;
  readonly image: string;
  readonly steps: readonly DockerStep[];
}

/** The stages of a Dockerfile; the last one is the image. */
export function readDockerfile(content: string): DockerStage[] {
  const dockerfile = DockerfileParser.parse(content);
  const defaults = new Map(
    dockerfile.getInitialARGs().map((arg) => {
      const property = arg.getProperty();
      return [property?.getName() ?? '', property?.getValue() ?? ''];
    }),
  );
  const stages: { name: string; image: string; steps: DockerStep[] }[] = [];
  for (const instruction of dockerfile.getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getArguments().map((word) => word.getValue());
    if (keyword === 'FROM') {
      const image = (words[0] ?? '').replaceAll(
        /\$\{(\w+)\}/g,
        (_, name) => defaults.get(name) ?? '',
      );
      stages.push({ name: words[2] ?? '', image, steps: [] });
      continue;
    }
    const flags =
      'getFlags' in instruction ? (instruction as ModifiableInstruction).getFlags() : [];
    stages.at(-1)?.steps.push({
      keyword,
      flags: new Map(flags.map((flag) => [flag.getName(), flag.getValue() ?? ''])),
      text: (instruction.getArgumentsContent() ?? '')
        .replaceAll(/\\\n\s*/g, '')
        .replace(/^(--\S+\s+)*/, ''),
    });
  }
  return stages;
}

/** The names and values of an ENV or LABEL. */
export function properties(content: string, keyword: 'ENV' | 'LABEL'): Record<string, string> {
  const found = DockerfileParser.parse(content)
    .getInstructions()
    .filter((instruction) => instruction.getKeyword() === keyword)
    .flatMap((instruction) => (instruction as PropertyInstruction).getProperties());
  return Object.fromEntries(found.map((one) => [one.getName(), one.getValue() ?? '']));
}

/** The program and arguments of a CMD or HEALTHCHECK in exec form. */
export function execForm(step: DockerStep): string[] {
  const [, list] = /(?:^|CMD\s+)(\[.*\])\s*$/.exec(step.text) ?? [];
  if (list === undefined) throw new Error(`${step.keyword} ${step.text} is not in exec form`);
  return JSON.parse(list) as string[];
}

/** The last instruction of a kind in a stage: the one that counts. */
export function lastStep(stage: DockerStage, keyword: string): DockerStep {
  const step = stage.steps.findLast((candidate) => candidate.keyword === keyword);
  if (step === undefined) throw new Error(`stage ${stage.name} has no ${keyword}`);
  return step;
}
