import { fillTemplate, parseTemplate, type TemplateSlot, valueAt } from '../keys/key-template.js';
import type { CachedRequest } from './cached-request.js';
import type { MethodShape } from './method-shape.js';

/** One call of a method, and what it gave when that is known. */
export interface MethodCall {
  readonly args: readonly unknown[];
  readonly result: unknown;
}

/** A template made ready, or what is wrong with it. */
export type Compiled<Call> =
  | {
      readonly isReady: true;
      readonly fill: (call: Call) => string;
      /** Whether it needs the result of the call. */
      readonly needsResult: boolean;
      readonly slots: readonly TemplateSlot[];
    }
  | { readonly isReady: false; readonly problem: string };

type Reader<Call> = (call: Call) => unknown;

const REQUEST_PARTS: ReadonlySet<string> = new Set(['params', 'query', 'body', 'headers']);

/** Compiles a template whose slots are filled from the arguments and the result of a call. */
export function compileForCall(
  source: string,
  shape: MethodShape,
  hasResult: boolean,
): Compiled<MethodCall> {
  return compile(source, (slot) => callReader(slot, shape, hasResult), namesFor(shape, hasResult));
}

/** Compiles a template whose slots are filled from the request, before the handler runs. */
export function compileForRequest(source: string, shape: MethodShape): Compiled<CachedRequest> {
  return compile(
    source,
    (slot) => requestReader(slot, shape),
    `${namesFor(shape, false)}, params.name, query.name, headers.name`,
  );
}

function compile<Call>(
  source: string,
  readerOf: (slot: TemplateSlot) => Reader<Call> | undefined,
  known: string,
): Compiled<Call> {
  const template = parseTemplate(source);
  if (typeof template === 'string') {
    return { isReady: false, problem: `the template '${source}' cannot be read: ${template}` };
  }
  const readers: Reader<Call>[] = [];
  for (const slot of template.slots) {
    const reader = readerOf(slot);
    if (reader === undefined) {
      const problem = `the template '${source}' names {${slot.source}}, which it does not know: name one of ${known}`;
      return { isReady: false, problem };
    }
    readers.push(reader);
  }
  return {
    isReady: true,
    fill: fillTemplate(template, readers),
    needsResult: template.slots.some(({ root }) => root === 'result'),
    slots: template.slots,
  };
}

function callReader(
  slot: TemplateSlot,
  shape: MethodShape,
  hasResult: boolean,
): Reader<MethodCall> | undefined {
  const { root, path } = slot;
  const index = parameterIndex(root, shape);
  if (index !== undefined) {
    const isRest = shape.parameters[index]?.isRest === true && !/^\d/.test(root);
    if (!isRest && path.length === 0) return ({ args }) => args[index];
    return isRest
      ? ({ args }) => valueAt(args.slice(index), path)
      : ({ args }) => valueAt(args[index], path);
  }
  if (root === 'result' && hasResult) return ({ result }) => valueAt(result, path);
  return routeReader(slot, shape);
}

/** The place of a parameter, by its name or its position. */
function parameterIndex(root: string, { parameters }: MethodShape): number | undefined {
  if (/^\d+$/.test(root)) {
    const index = Number(root);
    return index < parameters.length || parameters.at(-1)?.isRest === true ? index : undefined;
  }
  const exact = parameters.findIndex(({ name }) => name === root);
  const index = exact >= 0 ? exact : parameters.findIndex(({ name }) => plainName(name) === root);
  return index >= 0 ? index : undefined;
}

/** Without what says that a parameter is not used (`_id`), and what a bundler adds (`id$1`). */
function plainName(name: string | undefined): string | undefined {
  return name?.replace(/^_+(?=.)/, '').replace(/\$\d+$/, '');
}

/** Reads `{params.id}` from the parameter of the handler that Nest gives it to. */
function routeReader(
  { root, path }: TemplateSlot,
  { handler }: MethodShape,
): Reader<MethodCall> | undefined {
  if (handler === undefined || !REQUEST_PARTS.has(root)) return undefined;
  const [first] = path;
  const given = handler.arguments.filter(({ from }) => from === root);
  const single = given.find(({ name }) => name !== undefined && name === first);
  if (single !== undefined) {
    const rest = path.slice(1);
    return ({ args }) => valueAt(args[single.index], rest);
  }
  const whole = given.find(({ name }) => name === undefined);
  return whole === undefined ? undefined : ({ args }) => valueAt(args[whole.index], path);
}

function requestReader(
  { root, path }: TemplateSlot,
  shape: MethodShape,
): Reader<CachedRequest> | undefined {
  const index = parameterIndex(root, shape);
  if (index !== undefined) {
    const source = shape.handler?.arguments.find((argument) => argument.index === index);
    if (source === undefined || !isRequestPart(source.from)) return undefined;
    const { from, name } = source;
    const single = from === 'headers' ? name?.toLowerCase() : name;
    const full = single === undefined ? path : [single, ...path];
    return (request) => valueAt(request[from], full);
  }
  return isRequestPart(root) ? (request) => valueAt(request[root], path) : undefined;
}

function isRequestPart(name: string): name is keyof CachedRequest {
  return name === 'params' || name === 'query' || name === 'headers';
}

function namesFor({ parameters, handler }: MethodShape, hasResult: boolean): string {
  const names = parameters.map(({ name }, index) => name ?? String(index));
  if (hasResult) names.push('result');
  for (const { from, name } of handler?.arguments ?? []) {
    if (REQUEST_PARTS.has(from)) names.push(name === undefined ? from : `${from}.${name}`);
  }
  return names.length === 0 ? 'nothing, since it has no parameters' : names.join(', ');
}
