export { assertDeadline, deadlineSignal, remainingMs } from './deadline/deadline.js';
export { admissionSettings } from './admission/admission.settings.js';
export type { AdmissionSettings } from './admission/admission.settings.js';
export { AdmissionControl } from './admission/admission-control.js';
export { FastifyAdmission } from './admission/fastify-admission.js';
export { ResilienceModule } from './resilience.module.js';
export { memoryPressure } from './memory/memory-pressure.js';
export type { MemoryPressureEvent, MemoryPressureLevel } from './memory/memory-pressure.js';
export { memorySettings } from './memory/memory.settings.js';
export type { MemorySettings } from './memory/memory.settings.js';
export { MemoryWatch } from './memory/memory-watch.js';
export { resilienceControllers } from './http/index.js';
export { runPhases } from './shutdown/shutdown-phases.js';
export type { PhaseReport, ShutdownFigures, ShutdownPhase } from './shutdown/shutdown-phases.js';
export { endedInOrder, toLogFields, toSentence } from './shutdown/shutdown-report.js';
export type { ShutdownReport } from './shutdown/shutdown-report.js';
export { ShutdownSteps } from './shutdown/shutdown-steps.js';
export type { StepPhase } from './shutdown/shutdown-steps.js';
export { shutdownSettings } from './shutdown/shutdown.settings.js';
export type { ShutdownSettings } from './shutdown/shutdown.settings.js';
export { Policies } from './policies/policies.js';
export { PoliciesModule } from './policies/policies.module.js';
export type { ForeignBreaker } from './policies/policies.js';
export { Policy } from './policies/policy.js';
export type { ExecuteOptions } from './policies/policy.js';
export { CallContext } from './policies/call-context.js';
export type { GuardedCall } from './policies/call-context.js';
export type { PolicyLimits, PolicyOptions, PolicyOverrides } from './policies/policy.options.js';
export { policySettings } from './policies/policies.settings.js';
export type { PolicySettings } from './policies/policies.settings.js';
export { circuitChanged } from './policies/policy.channels.js';
export type { CircuitChange, CircuitState } from './policies/policy.channels.js';
export { Resilient } from './policies/resilient.decorator.js';
export type { ResilientOptions } from './policies/resilient.decorator.js';
export {
  BulkheadFullError,
  CallTimedOutError,
  CircuitOpenError,
} from './policies/errors/policy.errors.js';
export { OutboundHttp } from './outbound/outbound-http.js';
export { OutboundIntegration } from './outbound/outbound-integration.js';
export { OutboundResponse } from './outbound/outbound-response.js';
export type { IntegrationOptions, OutboundRequest } from './outbound/outbound.types.js';
export { OutboundError } from './outbound/errors/outbound.error.js';
