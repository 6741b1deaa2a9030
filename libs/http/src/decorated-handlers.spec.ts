import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { Priority } from './priority.decorator.js';
import { decoratedHandlers } from './decorated-handlers.js';

class Base {
  @Get('inherited')
  inherited(): void {}
}

@Priority('batch')
@Controller('one')
class OneController extends Base {
  @Get()
  plain(): void {}

  @Get('own')
  @Priority('critical')
  own(): void {}
}

@Controller('two')
class TwoController extends Base {
  @Get()
  @Priority('critical')
  own(): void {}
}

@Module({ controllers: [OneController, TwoController] })
class RoutesModule {}

describe('what a decorator says of handlers', () => {
  it('is known by the name of the handler, its own before that of its controller', async () => {
    const app = await NestFactory.createApplicationContext(RoutesModule, { logger: false });
    expect(Object.fromEntries(decoratedHandlers(app.get(ModulesContainer), Priority))).toEqual({
      'OneController.inherited': 'batch',
      'OneController.plain': 'batch',
      'OneController.own': 'critical',
      'TwoController.own': 'critical',
    });
    await app.close();
  });
});
