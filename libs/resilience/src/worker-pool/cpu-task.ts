/**
 * Work for a thread: a module that exports `run`, from an input to an output that both can be cloned
 * (`structuredClone`).
 */
export interface CpuTask<Input, Output> {
  /** In metrics and errors. */
  readonly name: string;
  /** Of the module; give `threadFile(name, import.meta.url)`, so that it is found in a bundle too. */
  readonly moduleUrl: () => URL;
  /**
   * Whether it computes for seconds. Such work has a thread to itself, one at a time, so that no other
   * waits behind it.
   */
  readonly isLong: boolean;
  /** Only says of which types it is. */
  readonly types?: (input: Input) => Output;
}

/** What the module of a task exports. */
export interface CpuTaskModule<Input, Output> {
  readonly run: (input: Input) => Output | Promise<Output>;
  /** Buffers of the output that are handed over rather than copied. */
  readonly transferOf?: (output: Output) => readonly ArrayBuffer[];
}

/** Declares work for a thread. `moduleUrl` is asked with the first call. */
export function defineCpuTask<Input, Output>(
  name: string,
  moduleUrl: () => URL,
  { isLong = false }: { readonly isLong?: boolean } = {},
): CpuTask<Input, Output> {
  let url: URL | undefined;
  return { name, moduleUrl: () => (url ??= moduleUrl()), isLong };
}
