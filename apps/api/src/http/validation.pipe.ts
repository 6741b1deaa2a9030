import { Readable } from 'node:stream';
import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type Fault, PantheonError } from '#libs/core';

/** Faults that one answer lists at most, so that a hostile body cannot make a huge one. */
const MAX_FAULTS = 50;

/** Validates every input that has a schema; a 400 names the path of each fault. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { schema } = metadata;
    if (schema === undefined || metadata.type === 'custom') return value;
    // The one media type whose body is handed on as it arrives.
    if (value instanceof Readable) {
      throw new PantheonError('MEDIA_TYPE_UNSUPPORTED', 'This route takes application/json.', {
        kind: 'unsupported',
      });
    }
    const result = await schema['~standard'].validate(value);
    if (result.issues === undefined) return result.value;
    throw new PantheonError(
      'VALIDATION_FAILED',
      `The ${WHERE[metadata.type]} of the request is not valid; see errors.`,
      {
        kind: 'invalid',
        faults: result.issues.slice(0, MAX_FAULTS).map((issue) => toFault(issue, metadata)),
      },
    );
  }
}

const WHERE = { body: 'body', query: 'query', param: 'path' } as const;

function toFault(
  issue: StandardSchemaV1.Issue,
  metadata: ArgumentMetadata & { type: keyof typeof WHERE | 'custom' },
): Fault {
  const root = metadata.type === 'custom' ? '' : WHERE[metadata.type];
  const prefix = metadata.data === undefined ? root : `${root}.${metadata.data}`;
  const segments = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
  return {
    path: segments.reduce<string>(
      (path, key) => (typeof key === 'number' ? `${path}[${key}]` : `${path}.${String(key)}`),
      prefix,
    ),
    code: 'code' in issue ? String(issue.code) : 'invalid',
    message: issue.message,
  };
}
