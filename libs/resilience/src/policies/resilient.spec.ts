import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  type INestApplicationContext,
  Injectable,
  Module,
  type Provider,
  Scope,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { SettingsStore } from '#libs/config';
import { Clock, declaredMethod, ManualClock } from '#libs/core';
import { CallContext } from './call-context.js';
import { Policies } from './policies.js';
import { PoliciesModule } from './policies.module.js';
import { policySettings } from './policies.settings.js';
import { Resilient } from './resilient.decorator.js';

const apps: INestApplicationContext[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

@Module({})
class PlatformModule {}

@Module({})
class AppModule {}

async function boot(providers: Provider[], controllers: Type[] = [], hasRoutes = true) {
  const module = {
    module: AppModule,
    imports: [
      {
        module: PlatformModule,
        global: true,
        imports: [PoliciesModule],
        providers: [
          { provide: Clock, useValue: new ManualClock() },
          { provide: SettingsStore, useValue: new SettingsStore([policySettings]) },
        ],
        exports: [Clock, SettingsStore],
      },
    ],
    controllers,
    providers,
  };
  const options = { logger: false, abortOnError: false } as const;
  if (!hasRoutes) {
    const context = await NestFactory.createApplicationContext(module, options);
    apps.push(context);
    return context;
  }
  const app = await NestFactory.create(module, new FastifyAdapter(), options);
  apps.push(app);
  await app.init();
  return app;
}

@Injectable()
class Weather {
  isIll = false;
  calls = 0;
  contexts: (CallContext | undefined)[] = [];

  @Resilient({ name: 'weather', circuit: { minimumCalls: 2 }, fallback: 'usual' })
  async today(city: string, _unit = 'C'): Promise<string> {
    this.calls += 1;
    if (this.isIll) throw new Error('no connection');
    return `${city}: rain`;
  }

  @Resilient({ timeoutMs: 1_000 })
  async tomorrow(city: string, context?: CallContext): Promise<string> {
    this.contexts.push(context);
    return `${city}: sun`;
  }

  usual(city: string, error: Error & { code?: string }): string {
    return `${city}: clouds (${error.code ?? error.message})`;
  }
}

describe.each([true, false])('@Resilient, in an application with routes: %s', (hasRoutes) => {
  it('guards the method, and leaves it what it was', async () => {
    const app = await boot([Weather], [], hasRoutes);
    const weather = app.get(Weather);
    await expect(weather.today('Oslo')).resolves.toBe('Oslo: rain');
    weather.isIll = true;
    expect(await weather.today('Oslo')).toBe('Oslo: clouds (no connection)');
    expect(await weather.today('Bergen')).toBe('Bergen: clouds (CIRCUIT_OPEN)');
    expect(weather.calls).toBe(2);
    expect([weather.today.name, weather.today.length]).toEqual(['today', 1]);
    expect(declaredMethod(weather.today as never)).toBe(Weather.prototype.today);
    const policies = app.get(Policies);
    expect(policies.all().map(({ name, state }) => [name, state])).toEqual([
      ['weather', 'open'],
      ['Weather.tomorrow', 'closed'],
    ]);
  });
});

describe('@Resilient', () => {
  it('gives the context of the call to a parameter of its type', async () => {
    const weather = (await boot([Weather])).get(Weather);
    await expect(weather.tomorrow('Oslo')).resolves.toBe('Oslo: sun');
    expect(weather.contexts[0]).toMatchObject({ attempt: 1, timeoutMs: 1_000 });
  });

  it('stops the boot with all that is wrong', async () => {
    @Injectable()
    class Twins {
      @Resilient({ name: 'one' })
      async first(): Promise<void> {}

      @Resilient({ name: 'one' })
      async second(): Promise<void> {}

      @Resilient({ fallback: 'nothing' })
      async third(): Promise<void> {}

      @Resilient()
      @Resilient()
      async fourth(): Promise<void> {}
    }
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      @Resilient()
      async call(): Promise<void> {}
    }
    @Controller('things')
    class Things {
      @Get()
      @Resilient()
      async list(): Promise<void> {}
    }
    await expect(boot([Twins, PerRequest], [Things])).rejects.toMatchObject({
      code: 'RESILIENT_DECORATOR_INVALID',
      problems: [
        '@Resilient on Twins.third: there is no method "nothing" to fall back to: add it',
        '@Resilient on Twins.fourth: it stands there twice: keep one',
        '@Resilient in PerRequest: there is an instance for each request or user, and so there would be breakers: move the method to a provider of the default scope',
        '@Resilient on Things.list: it is a handler: put it on the method of the provider that calls out',
        '@Resilient on Twins.second: Twins.first is named "one" too: give name',
      ],
    });
  });

  it('is for methods of instances', () => {
    const declare = (): Type => {
      class Statics {
        @Resilient()
        static async call(): Promise<void> {}
      }
      return Statics;
    };
    expect(declare).toThrow('it is no method of instances');
  });
});
