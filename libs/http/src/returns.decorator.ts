import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';

/**
 * States what a handler does and answers, for the caller and for the OpenAPI document: the
 * status, a sentence, and the schema of the body (none: an empty body).
 */
export function Returns(status: number, summary: string, schema?: z.ZodType): MethodDecorator {
  return applyDecorators(
    HttpCode(status),
    ApiOperation({ summary }),
    schema === undefined
      ? ApiResponse({ status, description: summary })
      : ApiResponse({ status, description: summary, standardSchema: schema }),
  );
}

/** Like `Returns` for a body of newline-delimited JSON, one `schema` a line. */
export function ReturnsNdjson(status: number, summary: string): MethodDecorator {
  return applyDecorators(
    HttpCode(status),
    ApiOperation({ summary }),
    ApiResponse({
      status,
      description: summary,
      content: { 'application/x-ndjson': { schema: { type: 'string' } } },
    }),
  );
}
