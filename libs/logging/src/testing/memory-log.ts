import { MemoryLogDestination } from '../log-destination.js';
import { RootLogger } from '../root-logger.js';

/** A root logger that writes everything into memory. */
export class MemoryLog {
  readonly destination = new MemoryLogDestination();
  readonly root = new RootLogger({
    destination: this.destination,
    service: 'test',
    levels: { default: 'trace' },
  });

  /** The line written last. */
  last(): Record<string, unknown> {
    return this.destination.records.at(-1) ?? {};
  }

  /** Writes these fields and gives the line. */
  logged(data: object): Record<string, unknown> {
    this.root.module('m').info('text', data);
    return this.last();
  }
}
