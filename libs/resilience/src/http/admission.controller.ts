import { Controller, Get } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Priority, RequirePermission, Returns } from '#libs/http';
import { AdmissionControl } from '../admission/admission-control.js';
import { admissionSettings } from '../admission/admission.settings.js';
import type { Lane } from '../admission/lane.js';
import { type AdmissionAnswer, admissionSchema } from './admission.schemas.js';

/** Admission control of the process that answers, also when it refuses everything else. */
@Controller('v1/perf/admission')
@Priority('critical')
export class AdmissionController {
  constructor(
    private readonly control: AdmissionControl,
    private readonly settings: SettingsStore,
  ) {}

  @Get()
  @RequirePermission({ resource: 'perf:admission', action: 'read' })
  @Returns(200, 'The limit, what is at work and waits, and what was refused', admissionSchema)
  read(): AdmissionAnswer {
    const { control } = this;
    control.refresh();
    return {
      enabled: this.settings.get(admissionSettings).enabled,
      limit: control.concurrencyLimit,
      inFlight: control.inFlight,
      waiting: control.waiting,
      loopTurnMs: control.loopTurnMs,
      memoryCritical: control.isMemoryCritical,
      classes: {
        critical: toAnswer(control.critical),
        interactive: toAnswer(control.interactive),
        batch: toAnswer(control.batch),
      },
    };
  }
}

function toAnswer(lane: Lane): AdmissionAnswer['classes']['batch'] {
  const { inFlight, line, detector, admitted, queued, left, refused } = lane;
  return {
    inFlight,
    waiting: line.size,
    overloaded: detector.isOverloaded,
    demand: detector.demand,
    admitted,
    queued,
    left,
    refused: { ...refused },
  };
}
