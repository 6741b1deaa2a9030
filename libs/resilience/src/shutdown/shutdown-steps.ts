import { Injectable } from '@nestjs/common';
import type { ShutdownFigures } from './shutdown-phases.js';

/**
 * `work`: take no more of it, and finish what was begun, while requests are still answered.
 * `flush`: write what waits in memory, while every store is there and no request comes any more.
 */
export type StepPhase = 'work' | 'flush';

type Step = () => Promise<ShutdownFigures | void>;

/** What the parts of the process do at its end, each in its phase. */
@Injectable()
export class ShutdownSteps {
  private readonly steps: Readonly<Record<StepPhase, Map<string, Step>>> = {
    work: new Map(),
    flush: new Map(),
  };

  /** Has `step` run in a phase; what it returns stands in the report under `name`. */
  add(phase: StepPhase, name: string, step: Step): void {
    this.steps[phase].set(name, step);
  }

  /**
   * Runs all steps of a phase at the same time and hands out the figures of each as it ends.
   * @throws AggregateError after all have ended, when some failed
   */
  async run(
    phase: StepPhase,
    onEnd: (name: string, figures: ShutdownFigures) => void,
  ): Promise<void> {
    const failures: Error[] = [];
    await Promise.all(
      [...this.steps[phase]].map(async ([name, step]) => {
        try {
          const figures = await step();
          if (figures !== undefined) onEnd(name, figures);
        } catch (cause) {
          failures.push(new Error(`${name} did not end in order`, { cause }));
        }
      }),
    );
    if (failures.length > 0) throw new AggregateError(failures, `Failed: ${failures.join('; ')}`);
  }
}
