import type { Provider } from '@nestjs/common';
import { CpuWorkers } from './cpu-workers.js';

/** Threads for CPU work. */
export const workerPoolProviders: Provider[] = [CpuWorkers];
