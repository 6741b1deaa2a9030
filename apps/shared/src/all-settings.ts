import { loggingSettings } from '#libs/logging';
import { metricsSettings } from '#libs/metrics';
import { healthSettings } from '#libs/health';
import { indexAdvisorSettings } from '#libs/index-advisor';
import { jobsSettings } from '#libs/jobs';
import { apiKeySettings, auditSettings, authSettings, oauthSettings } from '#libs/auth';
import { contextSettings } from '#libs/context';
import { compressionSettings } from './compression.settings.js';
import { httpSettings } from './http.settings.js';
import { embeddedPostgresSettings, persistenceSettings, redisSettings } from '#libs/persistence';
import { cacheLearningSettings, cacheSettings, cacheWarmingSettings } from '#libs/cache';
import {
  admissionSettings,
  memorySettings,
  policySettings,
  rateLimitSettings,
  shutdownSettings,
  workerSettings,
} from '#libs/resilience';
import type { SettingsSection } from '#libs/config';

/** The settings of every lib and app, in the order in which they are documented. */
export const allSettings: readonly SettingsSection[] = [
  httpSettings,
  compressionSettings,
  shutdownSettings,
  loggingSettings,
  persistenceSettings,
  embeddedPostgresSettings,
  redisSettings,
  metricsSettings,
  healthSettings,
  admissionSettings,
  rateLimitSettings,
  memorySettings,
  policySettings,
  workerSettings,
  jobsSettings,
  cacheSettings,
  cacheLearningSettings,
  cacheWarmingSettings,
  indexAdvisorSettings,
  authSettings,
  oauthSettings,
  apiKeySettings,
  auditSettings,
  contextSettings,
];
