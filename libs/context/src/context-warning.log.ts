import { Injectable, type OnModuleInit } from '@nestjs/common';
import { RootLogger } from '#libs/logging';
import { contextWarnings } from './events.js';

/** Writes what callers only notice as a poorer answer. */
@Injectable()
export class ContextWarningLog implements OnModuleInit {
  private unsubscribe: (() => void) | undefined;

  constructor(private readonly log: RootLogger) {}

  onModuleInit(): void {
    this.unsubscribe ??= contextWarnings.subscribe(({ code, message, error }) => {
      this.log.module('context').warn(message, { code, err: error });
    });
  }

  /** Stops listening. May be called twice. */
  stop(): void {
    this.unsubscribe?.();
    this.unsubscribe = undefined;
  }
}
