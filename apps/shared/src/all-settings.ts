import { loggingSettings } from '#libs/logging';
import { metricsSettings } from '#libs/metrics';
import { healthSettings } from '#libs/health';
import { indexAdvisorSettings } from '#libs/index-advisor';
import { jobsSettings } from '#libs/jobs';
import { apiKeySettings, auditSettings, authSettings } from '#libs/auth';
import { contextSettings } from '#libs/context';
import { httpSettings } from './http.settings.js';
import { embeddedPostgresSettings, persistenceSettings, redisSettings } from '#libs/persistence';
import { cacheLearningSettings, cacheSettings, cacheWarmingSettings } from '#libs/cache';
import {
  admissionSettings,
  rateLimitSettings,
  memorySettings,
  policySettings,
  rateLimitSettings,
  shutdownSettings,
} from '#libs/resilience';
import type { SettingsSection } from '#libs/config';

/** The settings of every lib and app, in the order in which they are documented. */
export const allSettings: readonly SettingsSection[] = [
  httpSettings,
  shutdownSettings,
  loggingSettings,
  persistenceSettings,
  embeddedPostgresSettings,
  redisSettings,
  metricsSettings,
  healthSettings,
  admissionSettings,
  memorySettings,
  policySettings,
  jobsSettings,
  cacheSettings,
  cacheLearningSettings,
  cacheWarmingSettings,
  indexAdvisorSettings,
  authSettings,
  apiKeySettings,
  auditSettings,
  contextSettings,
];
