import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import type { CandidateIndex } from '../what-if/candidate-index.js';
import { diskFreeBytes } from '../change/disk-space.js';
import { type IndexChange, IndexChanger } from '../change/index-changer.js';
import { PostgresChangeAudit } from '../change/postgres.change-audit.js';
import { IndexAdvisor } from '../index-advisor.service.js';
import { indexAdvisorSettings } from '../index-advisor.settings.js';
import type { PlannedChange } from './index-jobs.js';

/** Changes of the application's own database, with the limits of the settings. */
@Injectable()
export class IndexChanges {
  constructor(
    private readonly advisor: IndexAdvisor,
    private readonly audit: PostgresChangeAudit,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
  ) {}

  changer(): IndexChanger {
    const { lockWaitMs, maxWaitMs, maxBuildMs, maxTransactionAgeMs } =
      this.settings.get(indexAdvisorSettings);
    return new IndexChanger({
      openSession: () => this.advisor.openSession(),
      audit: this.audit,
      clock: this.clock,
      limits: { lockWaitMs, maxWaitMs, maxBuildMs, maxTransactionAgeMs },
      diskFreeBytes,
    });
  }
}

/** A change of a payload as the core takes it. */
export function changeOf({ id, index, expectedBytes }: PlannedChange): IndexChange {
  // The schema of the payload has seen to it that each key is a column or an expression.
  return { id, index: index as CandidateIndex, expectedBytes };
}
