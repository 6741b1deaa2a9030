import { applyDecorators, HttpCode } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { z } from 'zod';

/** What a handler answers, as the OpenAPI document tells it. */
export interface DocumentedAnswer {
  readonly status: number;
  readonly summary: string;
  readonly mediaType: string;
  /** Schema of the body; none for an empty one or for a text. */
  readonly schema?: z.ZodType;
}

/**
 * Metadata of `Returns`. It is kept apart from @nestjs/swagger, which costs 12 MB and a tenth of
 * the start-up: the app hands it over when somebody first asks for the document.
 */
export const DocumentedAnswers = Reflector.createDecorator<DocumentedAnswer>();

/**
 * States what a handler does and answers: the status, a sentence, and the schema of the JSON body
 * (none: an empty body).
 */
export function Returns(status: number, summary: string, schema?: z.ZodType): MethodDecorator {
  return documented({
    status,
    summary,
    mediaType: 'application/json',
    ...(schema === undefined ? {} : { schema }),
  });
}

/** Like `Returns`, for a body that is not JSON, such as `application/x-ndjson`. */
export function ReturnsText(status: number, summary: string, mediaType: string): MethodDecorator {
  return documented({ status, summary, mediaType });
}

function documented(answer: DocumentedAnswer): MethodDecorator {
  return applyDecorators(HttpCode(answer.status), DocumentedAnswers(answer));
}

/** A request body that is not JSON, as the OpenAPI document tells it. */
export interface DocumentedBody {
  readonly mediaType: string;
  readonly description: string;
}

/** Metadata of `AcceptsText`. */
export const DocumentedBodies = Reflector.createDecorator<DocumentedBody>();

/** States that a handler reads a body that is not JSON, such as `application/x-ndjson`. */
export function AcceptsText(mediaType: string, description: string): MethodDecorator {
  return DocumentedBodies({ mediaType, description });
}

/**
 * States which problems a handler answers with, by status, beside those that its guards and its
 * inputs make plain: a conflict, or a 401 of a public route.
 */
export const Problems = Reflector.createDecorator<Readonly<Record<number, string>>>();
