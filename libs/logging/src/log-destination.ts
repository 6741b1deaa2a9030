/** Where finished lines go. */
export abstract class LogDestination {
  /** Takes a line, its end included. `level` is pino's number of it. Never throws. */
  abstract write(line: string, level: number): void;

  /** Whether a line of this level would be taken now; asked before the line is made. */
  abstract accepts(level: number): boolean;

  /** Resolves when all lines so far are written or `timeoutMs` is over; says which. */
  abstract flush(timeoutMs: number): Promise<boolean>;

  /** Writes what is left without the event loop, for the very end of a process. */
  abstract flushAtExit(timeoutMs: number): void;
}

/** Keeps lines in memory, for tests of what is logged. */
export class MemoryLogDestination extends LogDestination {
  readonly lines: string[] = [];

  /** The lines parsed. */
  get records(): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  write(line: string): void {
    this.lines.push(line);
  }

  accepts(): boolean {
    return true;
  }

  flush(): Promise<boolean> {
    return Promise.resolve(true);
  }

  flushAtExit(): void {
    // Nothing waits here.
  }
}
