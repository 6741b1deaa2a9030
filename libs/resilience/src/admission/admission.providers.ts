import type { Provider } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { AdmissionControl } from './admission-control.js';
import { AdmissionMetrics } from './admission-metrics.js';
import { admissionSettings } from './admission.settings.js';
import { FastifyAdmission } from './fastify-admission.js';
import { NodeEventLoop } from './event-loop.js';

/** Admission control, its place in front of the routes, and its metrics. */
export const admissionProviders: Provider[] = [
  {
    provide: AdmissionControl,
    useFactory: (clock: Clock, store: SettingsStore) =>
      new AdmissionControl(clock, new NodeEventLoop(), store.get(admissionSettings)),
    inject: [Clock, SettingsStore],
  },
  FastifyAdmission,
  AdmissionMetrics,
];
