import { RequestMethod } from '@nestjs/common';
import type { AnyCacheableOptions } from './cacheable.options.js';
import type { Report } from './call-rules.js';
import type { HandlerShape, MethodShape } from './method-shape.js';

/** Parameters that are the caller, or carry it. */
const CALLER_NAMES = /^_*(principal|caller|current_?user|request|req)(\$\d+)?$/i;

/** What must hold for `@Cacheable` on the method of a provider. */
export function checkCacheableMethod(
  shape: MethodShape,
  options: AnyCacheableOptions,
  report: Report,
): void {
  if (!shape.isAsync) {
    report('it is not sure to return a promise: make it async, or declare that it returns one');
  }
  if (options.keyBy ?? options.tagsBy ?? options.conditionBy) {
    report('keyBy, tagsBy and conditionBy are for GET handlers: give key, tags or condition');
  }
  const { key, varyBy } = options;
  if (typeof key !== 'string' || varyBy !== undefined) return;
  for (const [index, { name }] of shape.parameters.entries()) {
    if (name === undefined || !CALLER_NAMES.test(name)) continue;
    if (namesRoot(key, name) || namesRoot(key, String(index))) continue;
    report(
      `it takes ${name} and its key does not name it: give varyBy: ['user'], name it in the key, or state with varyBy: [] that all callers share the answer`,
    );
  }
}

/** What must hold for `@Cacheable` on a handler, whose whole response is cached. */
export function checkCacheableHandler(
  shape: MethodShape,
  handler: HandlerShape,
  options: AnyCacheableOptions,
  report: Report,
): void {
  if (handler.method !== RequestMethod.GET || handler.isSse) {
    report(
      'only responses of GET are cached: put it on the method of the provider that the handler calls',
    );
    return;
  }
  if (typeof options.key === 'function') {
    report('its key is a function of arguments, which are not known yet: give keyBy or a template');
  }
  if (typeof options.tags === 'function' && options.tags.length > 1) {
    report('its tags are a function of arguments: give tagsBy or templates');
  }
  if (options.condition !== undefined) {
    report('its condition is a function of arguments: give conditionBy');
  }
  if (options.key !== undefined && options.keyBy !== undefined) {
    report('it has key and keyBy: give one of them');
  }
  if (handler.arguments.some(({ from }) => from === 'body')) {
    report('it takes the body, which is no part of a response key: make it a POST handler');
  }
  checkScope(shape, handler, options, report);
}

/** Refuses answers that depend on the caller in a way that their key does not tell. */
function checkScope(
  { parameters }: MethodShape,
  handler: HandlerShape,
  { key, keyBy, varyBy }: AnyCacheableOptions,
  report: Report,
): void {
  if (handler.isPublic && varyBy?.some((by) => by === 'user' || by === 'tenant') === true) {
    report('it varies by the caller, and @Public() lets callers in who are not known: drop one');
  }
  // What is stated is meant: [] says that everybody shares the answer.
  if (varyBy?.length === 0 || varyBy?.some((by) => by === 'user' || by === 'tenant')) return;
  const nameOf = (index: number): string => parameters[index]?.name ?? `parameter ${index}`;
  for (const { from, index } of handler.arguments) {
    if (from === 'other') {
      report(
        `its handler takes ${nameOf(index)} from a decorator such as @CurrentPrincipal(): give varyBy: ['user'], or state with varyBy: [] that all callers share the answer`,
      );
    } else if (from === 'request' && key === undefined && keyBy === undefined) {
      report(
        'it has no key and its handler takes the request: give key or keyBy, or state with varyBy: [] that all callers share the answer',
      );
    } else if (from === 'headers' && varyBy === undefined && keyBy === undefined) {
      if (typeof key !== 'string' || !key.includes('{headers')) {
        report(`its handler takes headers: name them, as varyBy: ['header:accept-language']`);
      }
    }
  }
  if (handler.isPublic || handler.resource === undefined || key === undefined) return;
  for (const [, name = ''] of handler.resource.matchAll(/\{(\w+)\}/g)) {
    if (typeof key === 'string' && namesParameter(key, name)) continue;
    report(
      `its permission depends on {${name}} and its key does not name it: put {params.${name}} into the key, or give varyBy: ['user']`,
    );
  }
}

function namesRoot(template: string, root: string): boolean {
  return template.includes(`{${root}}`) || template.includes(`{${root}.`);
}

function namesParameter(template: string, name: string): boolean {
  return template.includes(`{params.${name}}`) || template.includes(`{${name}}`);
}

/** What must hold for `@CachePut` and `@CacheEvict`. */
export function checkWrites(shape: MethodShape, report: Report): void {
  if (shape.handler === undefined && !shape.isAsync) {
    report('it is not sure to return a promise: make it async, or declare that it returns one');
  }
  if (shape.handler?.isSse === true) report('it streams events, and has no result to wait for');
  if (shape.handler?.arguments.some(({ from }) => from === 'response') === true) {
    report('its handler answers by itself, so nothing waits for the cache: return the answer');
  }
}
