import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  type INestApplicationContext,
  Module,
  Post,
  type Type,
} from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { RateLimit } from '../rate-limit.decorator.js';
import type { RateRule } from '../rate-rule.js';
import { RateLimitExplorer } from './rate-limit.explorer.js';

const small: RateRule = { name: 'made', by: 'user', capacity: 2, refillPerHour: 1 };

@Controller('fitting')
@RateLimit(small)
class Fitting {
  @Get()
  @RateLimit(small, { ...small, capacity: 20 })
  list(): void {}

  @Post()
  make(): void {}

  helper(): void {}
}

@Controller('others')
class Others {
  @Get()
  @RateLimit({ ...small, by: 'address', capacity: 7 })
  list(): void {}
}

@Controller('greedy')
class Greedy {
  @Get()
  @RateLimit({ ...small, capacity: 3 })
  list(): void {}
}

@Controller('wrong')
class Wrong {
  @Get()
  @RateLimit({ by: 'user', capacity: 3 } as never)
  list(): void {}
}

@Module({})
class AppModule {}

describe('RateLimitExplorer', () => {
  let app: INestApplicationContext | undefined;
  afterEach(() => app?.close());

  async function boot(...controllers: Type[]): Promise<void> {
    app = await NestFactory.createApplicationContext(
      {
        module: AppModule,
        imports: [DiscoveryModule],
        controllers,
        providers: [RateLimitExplorer],
      },
      { logger: false, abortOnError: false },
    );
  }

  it('lets handlers share a budget, and have several', async () => {
    await expect(boot(Fitting, Others)).resolves.toBeUndefined();
  });

  it('refuses the start when one name has different numbers', async () => {
    await expect(boot(Fitting, Greedy)).rejects.toMatchObject({
      code: 'RATE_LIMIT_DECORATOR_INVALID',
      problems: [expect.stringContaining('"made by user" with different numbers')],
    });
  });

  it('refuses the start for a rule that is none', async () => {
    await expect(boot(Wrong)).rejects.toThrow('@RateLimit on Wrong.list: ');
  });
});
