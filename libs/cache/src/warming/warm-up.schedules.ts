import { Injectable } from '@nestjs/common';
import { DeclaresSchedules, type JobSchedule } from '#libs/jobs';
import { warmCache } from './warm-cache.job.js';
import { WarmUpTargets } from './warm-up.targets.js';

/** Declares the schedules that `@WarmUp` decorators ask for. */
@Injectable()
export class WarmUpSchedules extends DeclaresSchedules {
  constructor(private readonly targets: WarmUpTargets) {
    super();
  }

  override schedules(): readonly JobSchedule[] {
    return this.targets.all().flatMap(({ where, options }): readonly JobSchedule[] => {
      const { cron, everyMs, timezone } = options;
      const own = {
        id: `warm-cache.${where}`,
        payload: { reason: 'schedule', method: where },
      } as const;
      if (cron !== undefined) {
        const zone = timezone === undefined ? {} : { timezone };
        return [{ job: warmCache, schedule: { ...own, pattern: cron, ...zone } }];
      }
      return everyMs === undefined ? [] : [{ job: warmCache, schedule: { ...own, everyMs } }];
    });
  }
}
