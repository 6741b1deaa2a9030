export { ResilienceModule } from './resilience.module.js';
export { memoryPressure } from './memory/memory-pressure.js';
export type { MemoryPressureEvent, MemoryPressureLevel } from './memory/memory-pressure.js';
export { memorySettings } from './memory/memory.settings.js';
export type { MemorySettings } from './memory/memory.settings.js';
export { MemoryWatch } from './memory/memory-watch.js';
export { resilienceControllers } from './http/index.js';
