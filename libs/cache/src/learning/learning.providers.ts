import type { Provider } from '@nestjs/common';
import { CacheLearning, KeyPredictors } from './cache-learning.js';
import { LearningMetrics } from './learning-metrics.js';
import { MethodCalls } from './method-calls.js';

/** What records reads and learns from them. */
export const learningProviders: readonly Provider[] = [
  KeyPredictors,
  CacheLearning,
  MethodCalls,
  LearningMetrics,
];
