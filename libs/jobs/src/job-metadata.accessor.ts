import { Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { JobDefinition } from './job-definition.js';
import {
  JobHandlerMetadata,
  ScheduledMetadata,
  type ScheduleSource,
} from './job-handler.decorator.js';

type Method = (...args: never[]) => unknown;

/** Reads what the decorators of this lib have recorded. */
@Injectable()
export class JobMetadataAccessor {
  constructor(private readonly reflector: Reflector) {}

  jobOf(method: Method): JobDefinition | undefined {
    return this.reflector.get(JobHandlerMetadata, method);
  }

  schedulesOf(method: Method): readonly ScheduleSource[] {
    return this.reflector.get(ScheduledMetadata, method) ?? [];
  }
}
