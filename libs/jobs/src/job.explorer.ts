import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { SettingsStore } from '#libs/config';
import { DataSource } from 'typeorm';
import { DeclaresSchedules } from './declares-schedules.js';
import { JobMetadataAccessor } from './job-metadata.accessor.js';
import { type JobHandlerFunction, JobRegistry } from './job-registry.js';
import { JobsFeature } from './jobs-feature.js';
import { ExpiredRowsPurger, PurgesExpiredRows } from './purge/expired-rows.js';
import { ExpiredRowsRegistry, TablePurger } from './purge/expired-rows.registry.js';

/** Finds handlers, schedules, declared jobs and purgers among the providers of the application. */
@Injectable()
export class JobExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly accessor: JobMetadataAccessor,
    private readonly registry: JobRegistry,
    private readonly expiredRows: ExpiredRowsRegistry,
    private readonly settings: SettingsStore,
    private readonly dataSource: DataSource,
  ) {}

  /** @throws JobSetupError when jobs, handlers and schedules do not fit together */
  async explore(): Promise<void> {
    for (const { instance } of this.discovery.getProviders()) {
      if (instance instanceof JobsFeature) this.addFeature(instance);
      else if (typeof instance === 'object' && instance !== null) this.scan(instance as object);
    }
    for (const wrapper of this.discovery.getProviders({ metadataKey: PurgesExpiredRows.KEY })) {
      if (wrapper.instance instanceof ExpiredRowsPurger) this.expiredRows.add(wrapper.instance);
      else {
        this.registry.addProblem(
          `${wrapper.name} has @PurgesExpiredRows() but does not extend ExpiredRowsPurger. Extend it, or remove the decorator.`,
        );
      }
    }
    await this.registry.verify();
  }

  private addFeature({ jobs, expiredRows }: JobsFeature): void {
    for (const job of jobs) this.registry.declare(job);
    for (const rows of expiredRows) this.expiredRows.add(new TablePurger(this.dataSource, rows));
  }

  private scan(provider: object): void {
    if (provider instanceof DeclaresSchedules) {
      for (const { job, schedule } of provider.schedules()) {
        this.registry.addSchedule(job, schedule);
      }
    }
    const prototype = Object.getPrototypeOf(provider) as object | null;
    for (const name of this.scanner.getAllMethodNames(prototype)) {
      const method = (provider as Record<string, unknown>)[name];
      if (typeof method === 'function')
        this.scanMethod(provider, name, method as JobHandlerFunction);
    }
  }

  private scanMethod(provider: object, name: string, method: JobHandlerFunction): void {
    const job = this.accessor.jobOf(method);
    const schedules = this.accessor.schedulesOf(method);
    const where = `${provider.constructor.name}.${name}`;
    if (job === undefined) {
      if (schedules.length > 0) {
        this.registry.addProblem(
          `${where} has @Scheduled but handles no job. Put @JobHandler(…) beside it.`,
        );
      }
      return;
    }
    // Looked up at each call: a cache may be put in front of the method later on.
    const methods = provider as Record<string, JobHandlerFunction>;
    this.registry.addHandler(job, where, (payload, run) =>
      (methods[name] as JobHandlerFunction).call(provider, payload, run),
    );
    for (const source of schedules) {
      const schedule = typeof source === 'function' ? source(this.settings) : source;
      if (schedule !== null) this.registry.addSchedule(job, schedule);
    }
  }
}
