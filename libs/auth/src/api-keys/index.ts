import type { Provider } from '@nestjs/common';
import { ApiKeyCache } from './api-key.cache.js';
import { ApiKeyMetrics } from './api-key.metrics.js';
import { ApiKeyStore } from './api-key.store.js';
import { ApiKeyUsage } from './api-key-usage.js';
import { EndedApiKeysPurger } from './ended-api-keys.purger.js';

/** What looks API keys up, counts their uses and deletes them, beside `ApiKeys` itself. */
export const apiKeyProviders: Provider[] = [
  ApiKeyCache,
  ApiKeyMetrics,
  ApiKeyStore,
  ApiKeyUsage,
  EndedApiKeysPurger,
];
