import type { ContextSettings } from '../context.settings.js';
import type { ScoreWeights } from './score.js';

/** The weights of the settings in force. */
export function weightsOf(settings: ContextSettings): ScoreWeights {
  return {
    text: settings.rankTextWeight,
    recency: settings.rankRecencyWeight,
    recencyDecayMs: settings.rankRecencyDecayMs,
    frequency: settings.rankFrequencyWeight,
    context: settings.rankContextWeight,
  };
}
