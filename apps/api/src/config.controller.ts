import { Body, Controller, Get, Patch } from '@nestjs/common';
import { z } from 'zod';
import { SettingsStore } from '#libs/config';
import { PantheonError } from '#libs/core';
import { Priority, RequirePermission, Returns } from '#libs/http';

const settingSchema = z.object({
  path: z.string(),
  env: z.string(),
  description: z.string(),
  secret: z.boolean(),
  live: z.boolean(),
  value: z.unknown().optional(),
  source: z.enum(['default', 'file', 'environment', 'override']),
});

const settingsSchema = z.object({ items: z.array(settingSchema) });

const overridesSchema = z.record(z.string().regex(/^[A-Za-z]+\.[A-Za-z]+$/), z.unknown());

const changesSchema = z.object({
  changes: z.array(
    z.object({
      path: z.string(),
      before: z.unknown().optional(),
      after: z.unknown().optional(),
      live: z.boolean(),
    }),
  ),
});

/** Shows the settings that are in force, and changes those that can change in a running process. */
@Controller('v1/config')
@Priority('critical')
export class ConfigController {
  constructor(private readonly store: SettingsStore) {}

  @Get()
  @RequirePermission({ resource: 'config', action: 'read' })
  @Returns(
    200,
    'Every setting with its value, secrets masked, and where it came from',
    settingsSchema,
  )
  list(): z.infer<typeof settingsSchema> {
    return { items: this.store.describe() };
  }

  @Patch()
  @RequirePermission({ resource: 'config', action: 'manage' })
  @Returns(200, 'Changes live settings of this process until it ends', changesSchema)
  change(
    @Body({ schema: overridesSchema }) overrides: z.infer<typeof overridesSchema>,
  ): z.infer<typeof changesSchema> {
    const live = new Map(this.store.describe().map((setting) => [setting.path, setting.live]));
    const faults = Object.keys(overrides)
      .filter((path) => live.get(path) !== true)
      .map((path) => ({
        path: `body.${path}`,
        code: live.has(path) ? 'SETTING_NOT_LIVE' : 'SETTING_UNKNOWN',
        message: live.has(path) ? 'Takes effect at the next start only' : 'No such setting',
      }));
    if (faults.length > 0) {
      throw new PantheonError('SETTINGS_NOT_CHANGED', 'Nothing was changed; see errors.', {
        kind: 'invalid',
        faults,
      });
    }
    return { changes: [...this.store.overrideAll(overrides)] };
  }
}
