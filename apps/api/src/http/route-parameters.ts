import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { ParamsTokenFactory } from '@nestjs/core/pipes/params-token-factory.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  enhancerContextOf,
  type HandlerMetadata,
  type HandlerPlace,
  type Next,
  type ParameterParts,
  type RouteCreatorParts,
} from './nest-router-parts.js';

type Extract = ParameterParts['extractValue'];

/** A parameter of a handler: where its value comes from and what it goes through. */
interface Parameter {
  readonly index: number;
  readonly extract: Extract;
  readonly pipes: readonly PipeTransform[];
  readonly metadata: ArgumentMetadata;
  /** Whether a promise for its value is waited for. */
  readonly isSettled: boolean;
}

/** The arguments of a handler, with a promise only where a pipe or a decorator gives one. */
export class RouteParameters {
  /** What Nest gives for parameters that have no decorator. */
  private readonly none: readonly null[];

  private constructor(
    count: number,
    private readonly parameters: readonly Parameter[],
  ) {
    this.none = Array.from({ length: count }, () => null);
  }

  static of(
    creator: RouteCreatorParts,
    place: HandlerPlace,
    { argsLength, getParamsMetadata, paramtypes }: HandlerMetadata,
  ): RouteParameters {
    const context = enhancerContextOf(place);
    const pipes: PipeTransform[] = creator.pipesContextCreator.create(...context);
    const tokens = new ParamsTokenFactory();
    const [, , ...inModule] = context;
    const given = getParamsMetadata(...inModule);
    const parts = creator.contextUtils.mergeParamsMetatypes(given, paramtypes);
    const parameters = parts.map((part): Parameter => {
      const { index, type, data, metatype, schema } = part;
      const isSettled = creator.isPipeable(type);
      return {
        index,
        extract: part.extractValue,
        pipes: isSettled ? [...pipes, ...part.pipes] : [],
        metadata: { type: tokens.exchangeEnumForString(type as never), metatype, data, schema },
        isSettled,
      };
    });
    return new RouteParameters(argsLength, parameters);
  }

  /** One after the other, so the first fault is the same whether or not others have to be waited for. */
  of(request: FastifyRequest, reply: FastifyReply, next: Next): unknown[] | Promise<unknown[]> {
    const args: unknown[] = this.none.slice();
    for (let at = 0; at < this.parameters.length; at += 1) {
      const parameter = this.parameters[at] as Parameter;
      const value = valueOf(parameter, request, reply, next);
      if (parameter.isSettled && value instanceof Promise) {
        return this.rest(args, at, value, request, reply, next);
      }
      args[parameter.index] = value;
    }
    return args;
  }

  private async rest(
    args: unknown[],
    from: number,
    pending: Promise<unknown>,
    request: FastifyRequest,
    reply: FastifyReply,
    next: Next,
  ): Promise<unknown[]> {
    for (const [at, parameter] of this.parameters.entries()) {
      if (at < from) continue;
      const value = at === from ? pending : valueOf(parameter, request, reply, next);
      args[parameter.index] = parameter.isSettled ? await value : value;
    }
    return args;
  }
}

function valueOf(
  { extract, pipes, metadata, isSettled }: Parameter,
  request: FastifyRequest,
  reply: FastifyReply,
  next: Next,
): unknown {
  let value = extract(request, reply, next);
  if (!isSettled) return value;
  for (let at = 0; at < pipes.length; at += 1) {
    if (isThenable(value)) return transformLater(value, pipes.slice(at), metadata);
    value = (pipes[at] as PipeTransform).transform(value, metadata);
  }
  return isThenable(value) ? Promise.resolve(value) : value;
}

async function transformLater(
  pending: PromiseLike<unknown>,
  pipes: readonly PipeTransform[],
  metadata: ArgumentMetadata,
): Promise<unknown> {
  let value = await pending;
  for (const pipe of pipes) value = await pipe.transform(value, metadata);
  return value;
}

/** Whether a value has to be waited for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
