import type { CacheSource } from '#libs/cache';
import type { CompileReport } from '../port/compile-report.js';
import type { Message } from '../port/context-port.js';

/** A source to compile from, by its name. */
export interface CompileSource {
  readonly id: string;
  /** Default: the id. */
  readonly label?: string | undefined;
  readonly where?: Record<string, unknown> | undefined;
  readonly metadata?: Record<string, unknown> | undefined;
}

export interface CompileRequest {
  readonly sources: readonly CompileSource[];
  readonly texts?: readonly string[] | undefined;
  /** Default 10. */
  readonly recentLimit?: number | undefined;
  /** Default 5. */
  readonly queryLimit?: number | undefined;
  /** Default 20. */
  readonly limit?: number | undefined;
  /** Whether the report explains each message. Default false. */
  readonly explain?: boolean | undefined;
}

/** Where the time of a compile went. */
export interface CompileTimings {
  readonly managersMs: number;
  readonly dbMs: number;
  readonly rankMs: number;
}

export interface CompileAnswer {
  readonly messages: readonly Message[];
  readonly report: CompileReport;
  readonly timings: CompileTimings;
  /** The level of the cache that had it; MISS when it was compiled for this answer. */
  readonly cache: CacheSource;
  /** Changes when the messages do. */
  readonly etag: string;
}

/** A context as it is kept: what any caller with the same question over the same sources gets. */
export interface CompiledContext {
  readonly messages: readonly Message[];
  readonly report: CompileReport;
  readonly entryIds: readonly string[];
  readonly etag: string;
  readonly dbMs: number;
  readonly rankMs: number;
}
