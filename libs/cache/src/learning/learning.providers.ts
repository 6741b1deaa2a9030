import type { Provider } from '@nestjs/common';
import { CacheLearning, KeyPredictors } from './cache-learning.js';

/** What records reads and learns from them. */
export const learningProviders: readonly Provider[] = [KeyPredictors, CacheLearning];
