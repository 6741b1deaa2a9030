import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  Header,
  Headers,
  Param,
  Post,
  Query,
  Req,
  Res,
  Sse,
} from '@nestjs/common';
import type { Principal } from '#libs/core';
import { CurrentPrincipal, Public, RequirePermission } from '#libs/http';
import { NEVER, type Observable } from 'rxjs';
import { Cacheable, CacheEvict } from './cacheable.decorator.js';
import { closeApps } from './testing/boot.js';
import { problemsOf } from './testing/problems-of.js';

afterEach(closeApps);

describe('boot refuses handlers', () => {
  it('whose answer depends on the caller in a way that their key does not tell', async () => {
    @Controller('orders')
    class OrdersController {
      @Get('mine')
      @Cacheable()
      mine(@CurrentPrincipal() principal: Principal): string {
        return principal.userId;
      }

      @Get('list')
      @Cacheable()
      list(@Req() request: object): string {
        return Object.keys(request).join();
      }

      @Public()
      @Get('public')
      @Cacheable({ varyBy: ['tenant'] })
      open(): string {
        return 'open';
      }

      @Get('language')
      @Cacheable()
      language(@Headers('accept-language') language: string): string {
        return language;
      }

      @Get(':id/lines')
      @RequirePermission({ resource: 'order:{id}', action: 'read' })
      @Cacheable({ key: 'lines:{query.page}' })
      lines(@Param('id') id: string, @Query('page') page: string): string {
        return id + page;
      }
    }
    expect(await problemsOf({ controllers: [OrdersController] })).toEqual([
      "@Cacheable on OrdersController.mine: its handler takes principal from a decorator such as @CurrentPrincipal(): give varyBy: ['user'], or state with varyBy: [] that all callers share the answer",
      '@Cacheable on OrdersController.list: it has no key and its handler takes the request: give key or keyBy, or state with varyBy: [] that all callers share the answer',
      '@Cacheable on OrdersController.open: it varies by the caller, and @Public() lets callers in who are not known: drop one',
      "@Cacheable on OrdersController.language: its handler takes headers: name them, as varyBy: ['header:accept-language']",
      "@Cacheable on OrdersController.lines: its permission depends on {id} and its key does not name it: put {params.id} into the key, or give varyBy: ['user']",
    ]);
  });

  it('not when they say what the answer depends on', async () => {
    @Controller('orders')
    class OrdersController {
      @Get('mine')
      @Cacheable({ varyBy: ['user'] })
      mine(@CurrentPrincipal() principal: Principal): string {
        return principal.userId;
      }

      @Get('shared')
      @Cacheable({ varyBy: [] })
      shared(@CurrentPrincipal() principal: Principal): string {
        return principal.userId;
      }

      @Get('list')
      @Cacheable({ keyBy: ({ query }) => query['q'] })
      list(@Req() request: object): string {
        return Object.keys(request).join();
      }

      @Get('language')
      @Cacheable({ varyBy: ['header:accept-language'] })
      language(@Headers('accept-language') language: string): string {
        return language;
      }

      @Get(':id/lines')
      @RequirePermission({ resource: 'order:{id}', action: 'read' })
      @Cacheable({ key: 'lines:{id}:{query.page}', tags: ['order:{params.id}'] })
      lines(@Param('id') id: string, @Query() query: { page: string }): string {
        return id + query.page;
      }

      @Public()
      @Get('open')
      @Header('cache-control', 'public')
      @Cacheable()
      open(): string {
        return 'open';
      }
    }
    expect(await problemsOf({ controllers: [OrdersController] })).toEqual([]);
  });

  it('whose responses are not cached, and options that cannot be known yet', async () => {
    @Controller('orders')
    class OrdersController {
      @Post()
      @Cacheable()
      create(): string {
        return 'created';
      }

      @Sse('events')
      @Cacheable()
      events(): Observable<never> {
        return NEVER;
      }

      @Get('a')
      @Cacheable({ key: (q: string) => q, condition: (q: string) => q !== '' })
      functions(@Query('q') q: string): string {
        return q;
      }

      @Get('b')
      @Cacheable({ key: 'b:{nothing}', tags: ['c:{body.id}'] })
      names(): string {
        return 'b';
      }

      @Get('c')
      @Cacheable()
      body(@Body() body: object): string {
        return Object.keys(body).join();
      }

      @Post('d')
      @CacheEvict({ tags: ['a'] })
      byItself(@Res() reply: { send(text: string): void }): void {
        reply.send('d');
      }
    }
    expect(await problemsOf({ controllers: [OrdersController] })).toEqual([
      expect.stringContaining('OrdersController.create: only responses of GET are cached'),
      expect.stringContaining('OrdersController.events: only responses of GET are cached'),
      expect.stringContaining('its key is a function of arguments, which are not known yet'),
      expect.stringContaining('its condition is a function of arguments: give conditionBy'),
      expect.stringContaining("template 'b:{nothing}' names {nothing}"),
      expect.stringContaining("template 'c:{body.id}' names {body.id}"),
      expect.stringContaining('it takes the body, which is no part of a response key'),
      expect.stringContaining('byItself: its handler answers by itself'),
    ]);
  });
});
