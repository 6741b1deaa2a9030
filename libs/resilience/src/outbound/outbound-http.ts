import { Injectable } from '@nestjs/common';
import { Policies } from '../policies/policies.js';
import { OutboundIntegration } from './outbound-integration.js';
import { parseBaseUrl } from './outbound-url.js';
import type { IntegrationOptions } from './outbound.types.js';

/** Calls other services over HTTP, each under a policy of its own and below its configured URL alone. */
@Injectable()
export class OutboundHttp {
  constructor(private readonly policies: Policies) {}

  /**
   * Declares a service. Once for each, at the start.
   *
   * @throws TypeError when there is a policy of this name, or the base URL cannot be called
   */
  integration(options: IntegrationOptions): OutboundIntegration {
    const base = parseBaseUrl(options.name, options.baseUrl);
    return new OutboundIntegration(this.policies.define(options.name, options), base, options);
  }
}
