import type { Type } from '@nestjs/common';
import { type DecoratorApp, type DecoratorAppOptions, startDecoratorApp } from './decorator-app.js';

const apps: DecoratorApp[] = [];

/** Starts an application that `closeApps` closes. */
export async function start(options: DecoratorAppOptions): Promise<DecoratorApp> {
  const app = await startDecoratorApp(options);
  apps.push(app);
  return app;
}

/** Starts an application with the provider and gives its instance. */
export async function boot<Instance extends object>(provider: Type<Instance>): Promise<Instance> {
  return (await start({ providers: [provider] })).get(provider);
}

/** For `afterEach`. */
export async function closeApps(): Promise<void> {
  await Promise.all(apps.splice(0).map((app) => app.close()));
}
