import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';
import { policyOverridesSchema } from './policy.options.js';

/** Settings of the policies around calls of other parts. */
export const policySettings = defineSettings('resilience', {
  policies: z.record(z.string().min(1).max(64), policyOverridesSchema).default({}).meta({
    live: true,
    description:
      'Other limits for policies, by their name, as JSON: `{"embedding": {"timeoutMs": 500, "circuit": {"openMs": 2000}}}`',
  }),
});

export type PolicySettings = SettingsOf<typeof policySettings>;
