import { Readable } from 'node:stream';
import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type Fault, PantheonError } from '#libs/core';

/** Faults that one answer lists at most, so that a hostile body cannot make a huge one. */
const MAX_FAULTS = 50;

type Result = StandardSchemaV1.Result<unknown>;
type Issue = StandardSchemaV1.Issue;

/** Validates every input that has a schema; a 400 names the path of each fault. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  /** A promise only where the schema gives one. */
  transform(value: unknown, { schema, type, data }: ArgumentMetadata): unknown {
    if (schema === undefined || type === 'custom') return value;
    // The one media type whose body is handed on as it arrives.
    if (value instanceof Readable) {
      throw new PantheonError('MEDIA_TYPE_UNSUPPORTED', 'This route takes application/json.', {
        kind: 'unsupported',
      });
    }
    const result = schema['~standard'].validate(value);
    return result instanceof Promise
      ? result.then((settled: Result) => valueOf(settled, WHERE[type], data))
      : valueOf(result, WHERE[type], data);
  }
}

const WHERE = { body: 'body', query: 'query', param: 'path' } as const;

function valueOf(result: Result, where: string, name: string | undefined): unknown {
  if (result.issues === undefined) return result.value;
  const prefix = name === undefined ? where : `${where}.${name}`;
  throw new PantheonError(
    'VALIDATION_FAILED',
    `The ${where} of the request is not valid; see errors.`,
    {
      kind: 'invalid',
      faults: result.issues
        .slice(0, MAX_FAULTS)
        .flatMap((issue) => faultsOf(issue, prefix))
        .slice(0, MAX_FAULTS),
    },
  );
}

function faultsOf(issue: Issue, prefix: string): Fault[] {
  const path = pathOf(issue, prefix);
  const nearest = nearestForm(issue);
  if (nearest !== undefined) return nearest.flatMap((inner) => faultsOf(inner, path));
  return [{ path, code: 'code' in issue ? String(issue.code) : 'invalid', message: issue.message }];
}

function pathOf(issue: Issue, prefix: string): string {
  const segments = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
  return segments.reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : `${path}.${String(key)}`),
    prefix,
  );
}

/** Of an input that may have one of several forms: the faults of the form that it is nearest to. */
function nearestForm(issue: Issue): readonly Issue[] | undefined {
  if (!('errors' in issue) || !Array.isArray(issue.errors)) return undefined;
  const forms = (issue.errors as readonly (readonly Issue[])[]).filter(({ length }) => length > 0);
  return forms.toSorted((one, other) => one.length - other.length)[0];
}
