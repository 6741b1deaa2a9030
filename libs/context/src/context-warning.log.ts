import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { RootLogger } from '#libs/logging';
import { contextWarnings } from './events.js';

/** Writes what callers only notice as a poorer answer. */
@Injectable()
export class ContextWarningLog implements OnModuleInit, OnApplicationShutdown {
  private stop: (() => void) | undefined;

  constructor(private readonly log: RootLogger) {}

  onModuleInit(): void {
    this.stop ??= contextWarnings.subscribe(({ code, message, error }) => {
      this.log.module('context').warn(message, { code, err: error });
    });
  }

  onApplicationShutdown(): void {
    this.stop?.();
    this.stop = undefined;
  }
}
