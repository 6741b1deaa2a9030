import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Post, Res, Scope, Sse, type Type } from '@nestjs/common';
import { type Observable, of } from 'rxjs';
import { Cacheable } from '../decorators/cacheable.decorator.js';
import { startResponseApp } from './testing/response-app.js';

@Controller('writes')
class WritesController {
  @Get()
  @Cacheable({ varyBy: [] })
  get(@Res() reply: { send(text: string): void }): void {
    reply.send('by itself');
  }
}

@Controller('events')
class EventsController {
  @Sse()
  @Cacheable({ varyBy: [] })
  events(): Observable<object> {
    return of({ data: 1 });
  }
}

@Controller('files')
class WildcardController {
  @Get('*path')
  @Cacheable({ varyBy: [] })
  get(): string {
    return '';
  }
}

@Controller('posts')
class PostController {
  @Post()
  @Cacheable({ varyBy: [] })
  post(): string {
    return '';
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest {}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController {
  constructor(readonly part: PerRequest) {}

  @Get()
  @Cacheable({ varyBy: [] })
  get(): string {
    return '';
  }
}

describe('@Cacheable is refused at boot', () => {
  it.each<[string, Type, string]>([
    ['that writes the response by itself', WritesController, 'writes by itself'],
    ['that streams events', EventsController, 'it streams events'],
    ['of a route with a wildcard', WildcardController, 'has a wildcard'],
    ['of a route that changes something', PostController, 'on no route of GET'],
  ])('on a handler %s', async (_, controller, reason) => {
    await expect(startResponseApp({ controllers: [controller] })).rejects.toThrow(reason);
  });

  it('on a handler of a controller that is made anew for each request', async () => {
    const starting = startResponseApp({
      controllers: [ScopedController],
      module: { providers: [PerRequest] },
    });
    await expect(starting).rejects.toThrow('made anew for each request');
  });
});
