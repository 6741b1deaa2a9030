import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpCode,
  NotFoundException,
  Redirect,
  Res,
  StreamableFile,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable, of } from 'rxjs';

/** Lets in who has the header. */
class HeaderGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<FastifyRequest>().headers['x-let-in'] === 'yes';
  }
}

/** Whatever a handler may answer with: values, promises, errors, streams, answers of its own. */
@Controller('routes')
export class AnsweringRoutes {
  private readonly word = 'this';

  @Get('unguarded')
  unguarded(): string {
    return this.word;
  }

  @Get('object')
  object(): object {
    return { a: 1, word: this.word };
  }

  @Get('array')
  async array(): Promise<unknown> {
    await nextTurn();
    return [1, 2];
  }

  @Get('nothing')
  nothing(): void {}

  @Get('null')
  null(): null {
    return null;
  }

  @Get('number')
  number(): number {
    return 7;
  }

  @Get('created')
  @HttpCode(207)
  created(): boolean {
    return false;
  }

  @Get('dated')
  dated(): object {
    return new Date(0);
  }

  @Get('throws')
  throws(): never {
    throw new NotFoundException('thrown');
  }

  @Get('rejects')
  async rejects(): Promise<never> {
    await nextTurn();
    throw new TypeError('not for clients');
  }

  @Get('stream')
  stream(): StreamableFile {
    return new StreamableFile(Readable.from(['one', 'two']), { type: 'text/plain' });
  }

  @Get('observable')
  observable(): Observable<object> {
    return of({ last: true });
  }

  @Get('generator')
  async *generator(): AsyncGenerator<string> {
    yield 'one';
    await nextTurn();
    yield 'two';
  }

  @Get('response')
  response(): Response {
    return new Response('of the web', { status: 202, headers: { 'x-own': '1' } });
  }

  @Get('own')
  own(@Res() reply: FastifyReply): void {
    void reply.code(418).send('short and stout');
  }

  @Get('header')
  @Header('x-decorated', 'yes')
  header(): string {
    return 'headed';
  }

  @Get('elsewhere')
  @Redirect('/routes/object', 302)
  elsewhere(): void {}

  @Get('intercepted')
  @UseInterceptors({
    intercept: (_context: unknown, next: { handle(): Observable<unknown> }) =>
      next.handle().pipe(map((value) => ({ value }))),
  })
  intercepted(): string {
    return 'inner';
  }

  @Get('guarded')
  @UseGuards(HeaderGuard)
  guarded(): string {
    return 'in';
  }
}
