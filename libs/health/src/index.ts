export { ComponentMonitor } from './component.monitor.js';
export type { ComponentReport, MonitorOptions } from './component.monitor.js';
export { HealthComponent } from './health-component.js';
export type { HealthFinding } from './health-component.js';
export { HealthMonitor } from './health-monitor.js';
export { HealthModule } from './health.module.js';
export { healthSettings } from './health.settings.js';
export type { HealthSettings } from './health.settings.js';
export { HealthController } from './http/health.controller.js';
