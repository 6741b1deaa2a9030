export { ResilienceModule } from './resilience.module.js';
export { memoryPressure } from './memory/memory-pressure.js';
export type { MemoryPressureEvent, MemoryPressureLevel } from './memory/memory-pressure.js';
