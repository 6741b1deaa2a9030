import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '#libs/metrics';
import { AdmissionControl } from './admission-control.js';
import type { Lane } from './lane.js';
import { REFUSAL_CAUSES } from './refusal-cause.js';

/** Shows admission control in `/metrics`. */
@Injectable()
export class AdmissionMetrics implements OnModuleInit {
  constructor(
    private readonly control: AdmissionControl,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    const { control } = this;
    const { registry } = this.metrics;
    const lanes = [control.critical, control.interactive, control.batch];
    const byClass = (read: (lane: Lane) => number) => () => {
      control.refresh();
      return lanes.map((lane) => ({ labels: { class: lane.priority }, value: read(lane) }));
    };
    registry.gauge(
      'admission_limit',
      'Requests that may be at work at once, those of the class critical not counted',
      () => control.concurrencyLimit,
    );
    registry.gauge(
      'admission_in_flight',
      'Requests at work, by class',
      byClass((lane) => lane.inFlight),
    );
    registry.gauge(
      'admission_queue_length',
      'Requests that wait for their turn, by class',
      byClass((lane) => lane.line.size),
    );
    registry.gauge(
      'admission_overloaded',
      'Whether requests come faster than they are served, by class',
      byClass((lane) => (lane.detector.isOverloaded ? 1 : 0)),
    );
    registry.gauge(
      'admission_loop_turn_seconds',
      'Smoothed time of a turn of the event loop',
      () => control.loopTurnMs / 1_000,
    );
    registry.total(
      'admission_requests_total',
      'Requests that were let to work, by class',
      byClass((lane) => lane.admitted),
    );
    registry.total(
      'admission_refused_total',
      'Requests that were refused, by class and cause',
      () =>
        lanes.flatMap((lane) =>
          REFUSAL_CAUSES.map((cause) => ({
            labels: { class: lane.priority, cause },
            value: lane.refused[cause],
          })),
        ),
    );
    const waits = registry.durations({
      name: 'admission_wait_seconds',
      help: 'Time that requests waited in line for their turn or for their refusal, by class',
      labels: ['class'],
    });
    const recorders = new Map(lanes.map((lane) => [lane, waits.of(lane.priority)]));
    control.onWaited = (lane, ms) => recorders.get(lane)?.record(ms);
  }
}
