import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type ArgumentMetadata,
  Body,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Injectable,
  NotFoundException,
  Param,
  type PipeTransform,
  Post,
  Query,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

@Injectable()
class UpperCasePipe implements PipeTransform {
  async transform(value: unknown, { type }: ArgumentMetadata): Promise<unknown> {
    await nextTurn();
    return type === 'param' ? String(value).toUpperCase() : value;
  }
}

const Caller = createParamDecorator((field: string, context: ExecutionContext) => {
  const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
  if (headers['x-caller'] === undefined) throw new NotFoundException('nobody');
  return `${field}: ${String(headers['x-caller'])}`;
});

const Later = createParamDecorator(async () => {
  await nextTurn();
  return 'later';
});

const numberQuery = z.object({ n: z.coerce.number().int() });
const eventually = z.object({ n: z.number().refine((n) => nextTurn(n > 0), 'too small') });

/** Whatever a handler may take: parts of the request, with schemas, pipes and decorators of its own. */
@Controller('routes')
export class ParameterRoutes {
  @Get('params/:name/:other')
  params(
    @Param('name') name: string,
    @Param('other', UpperCasePipe) other: string,
    @Query({ schema: numberQuery }) { n }: z.infer<typeof numberQuery>,
    @Caller('caller') caller: string,
    @Later() later: string,
  ): object {
    return { name, other, n, caller, later };
  }

  @Get('query')
  query(
    @Query({ schema: numberQuery }) query: z.infer<typeof numberQuery>,
    @Caller('caller') caller: string,
  ): object {
    return { query, caller };
  }

  @Post('body')
  body(@Body({ schema: eventually }) body: z.infer<typeof eventually>): object {
    return body;
  }
}
