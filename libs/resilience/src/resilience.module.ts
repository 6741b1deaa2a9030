import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { admissionProviders } from './admission/admission.providers.js';
import { AdmissionControl } from './admission/admission-control.js';
import { FastifyAdmission } from './admission/fastify-admission.js';
import { memoryProviders } from './memory/memory.providers.js';
import { MemoryWatch } from './memory/memory-watch.js';
import { OutboundHttp } from './outbound/outbound-http.js';
import { PoliciesModule } from './policies/policies.module.js';
import { policyProviders } from './policies/policy.providers.js';
import { rateLimitProviders } from './rate-limit/rate-limit.providers.js';
import { RateLimitGuard } from './rate-limit/http/rate-limit.guard.js';
import { RateLimits } from './rate-limit/rate-limits.js';
import { CpuWorkers } from './worker-pool/cpu-workers.js';
import { workerPoolProviders } from './worker-pool/worker-pool.providers.js';
import { ShutdownSteps } from './shutdown/shutdown-steps.js';

/**
 * What keeps the platform answering when there is too much to do or something is broken: rate limits,
 * admission control, circuit breakers, workers for CPU work and the watch over memory. Once, in the
 * root module, before `CacheModule`: a cache stands in front of a policy, not behind it. It needs
 * `SettingsStore`, `Clock`, `RootLogger`, `Metrics` and `DataSource` from global modules. Routes are
 * mounted by the app: `resilienceControllers`.
 */
@Module({})
export class ResilienceModule {
  static forRoot(): DynamicModule {
    return {
      module: ResilienceModule,
      global: true,
      imports: [DiscoveryModule, PoliciesModule],
      providers: [
        ...admissionProviders,
        ...policyProviders,
        ...rateLimitProviders,
        OutboundHttp,
        ...workerPoolProviders,
        ShutdownSteps,
        ...memoryProviders,
      ],
      exports: [
        CpuWorkers,
        RateLimitGuard,
        RateLimits,
        OutboundHttp,
        AdmissionControl,
        FastifyAdmission,
        ShutdownSteps,
        MemoryWatch,
      ],
    };
  }
}
