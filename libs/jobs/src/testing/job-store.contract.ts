import { afterEach, beforeEach, describe } from '@jest/globals';
import type { JobBackend } from '../backend/job-backend.js';
import { describeBrowsing } from './job-browsing.contract.js';
import { describeRefusing } from './job-refusing.contract.js';
import { describeRunning } from './job-running.contract.js';
import { describeSchedules } from './job-schedules.contract.js';
import { describeStopping } from './job-stopping.contract.js';
import { JobsHarness } from './jobs-harness.js';
import type { StartProcess } from './sample-jobs.js';

/** A store of a test's own. */
export interface JobStoreFixture {
  /** A backend of one more process on the same store. */
  readonly createBackend: () => JobBackend;
  readonly close: () => Promise<void>;
}

/** What every backend must do, seen through the parts that use it. */
export function describeJobStore(
  name: string,
  createFixture: () => Promise<JobStoreFixture>,
): void {
  describe(name, () => {
    let fixture: JobStoreFixture;
    const harnesses: JobsHarness[] = [];

    const process: StartProcess = (limits) => {
      const harness = new JobsHarness(fixture.createBackend(), limits);
      harnesses.push(harness);
      return harness;
    };

    beforeEach(async () => {
      fixture = await createFixture();
    });

    afterEach(async () => {
      await Promise.all(harnesses.splice(0).map((harness) => harness.close()));
      await fixture.close();
    });

    describeRunning(process);
    describeRefusing(process);
    describeStopping(process);
    describeSchedules(process);
    describeBrowsing(process);
  });
}
