import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  DiscoveryService,
  MetadataScanner,
  type ReflectableDecorator,
  Reflector,
} from '@nestjs/core';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import {
  DocumentedAnswers,
  DocumentedBodies,
  Idempotent,
  problemSchema,
  Problems,
  Public,
  RequirePermission,
  RequireSession,
} from '#libs/http';

/** Nest's number for a parameter that takes the body (`RouteParamtypes.BODY`). */
const BODY_PARAMETER = 3;

/** Name of the security scheme. */
const API_KEY = 'apiKey';

type SwaggerLibrary = typeof import('@nestjs/swagger');
type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const;

/** The problems that any route may answer with, beside those that its own guards add. */
const COMMON_PROBLEMS: Readonly<Record<string, string>> = {
  400: 'The request is not valid; errors name the path of each fault',
  429: 'Too many requests; Retry-After says when to come back',
  500: 'Internal error',
  503: 'Temporarily unavailable; Retry-After says when to come back',
  504: 'The database took too long',
};

/**
 * The OpenAPI document of everything that is mounted. It is made when somebody first asks: the
 * library behind it costs a tenth of the start-up time.
 */
export async function createOpenApiDocument(app: NestFastifyApplication): Promise<OpenAPIObject> {
  const swagger = await import('@nestjs/swagger');
  const handlers = documentHandlers(app, swagger);
  const config = new swagger.DocumentBuilder()
    .setTitle('Pantheon')
    .setDescription('A backend for contexts and memories, and the platform it runs on.')
    .setVersion('1')
    .addBearerAuth()
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key' }, API_KEY)
    .build();
  const document = swagger.SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) =>
      `${controller.replace(/Controller$/, '')}.${method}`,
  });
  completeOperations(document, handlers);
  return document;
}

/** Hands what our decorators recorded to the library; returns the handlers by operation id. */
function documentHandlers(
  app: NestFastifyApplication,
  swagger: SwaggerLibrary,
): ReadonlyMap<string, HandlerDescription> {
  const reflector = app.get(Reflector);
  const handlers = new Map<string, HandlerDescription>();
  for (const { instance, metatype } of app.get(DiscoveryService).getControllers()) {
    if (typeof metatype !== 'function' || typeof instance !== 'object') continue;
    const prototype: object = Object.getPrototypeOf(instance);
    const tag = metatype.name.replace(/Controller$/, '');
    swagger.ApiTags(tag)(metatype);
    for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
      const handler: unknown = descriptor?.value;
      if (descriptor === undefined || typeof handler !== 'function') continue;
      const described = new HandlerDescription(reflector, swagger, handler as Handler, metatype);
      for (const decorate of described.decorators()) decorate(prototype, name, descriptor);
      handlers.set(`${tag}.${name}`, described);
    }
  }
  return handlers;
}

type Handler = () => void;

/** What our decorators say of one handler, as decorators of the library. */
class HandlerDescription {
  readonly isPublic: boolean;

  constructor(
    private readonly reflector: Reflector,
    private readonly swagger: SwaggerLibrary,
    private readonly handler: Handler,
    private readonly controller: NewableFunction,
  ) {
    this.isPublic = this.ofHandlerOrController(Public) !== undefined;
  }

  /** Whether a request without a body passes the schema of the body. */
  get acceptsNoBody(): boolean {
    const parameters = (Reflect.getMetadata(
      ROUTE_ARGS_METADATA,
      this.controller,
      this.handler.name,
    ) ?? {}) as Record<string, { schema?: StandardSchemaV1 }>;
    const body = Object.entries(parameters).find(([key]) => key.startsWith(`${BODY_PARAMETER}:`));
    const result = body?.[1].schema?.['~standard'].validate(undefined);
    return result !== undefined && 'value' in result;
  }

  decorators(): MethodDecorator[] {
    return [
      ...this.security(),
      ...this.idempotency(),
      ...this.body(),
      ...this.answer(),
      ...this.problems(this.reflector.get(Problems, this.handler) ?? {}),
    ];
  }

  /** A token, and where no session is needed an API key as well. */
  private security(): MethodDecorator[] {
    if (this.isPublic) return [];
    const { ApiBearerAuth, ApiSecurity } = this.swagger;
    const needsSession = this.ofHandlerOrController(RequireSession) !== undefined;
    return needsSession ? [ApiBearerAuth()] : [ApiBearerAuth(), ApiSecurity(API_KEY)];
  }

  private idempotency(): MethodDecorator[] {
    if (this.reflector.get(Idempotent, this.handler) === undefined) return [];
    const header = this.swagger.ApiHeader({
      name: 'Idempotency-Key',
      description: 'A retry under the same key is given the first answer again',
      required: false,
    });
    const problems = this.problems({
      409: 'It exists already, or the request under this Idempotency-Key is still under way',
      422: 'This Idempotency-Key was used for another request',
    });
    return [header, ...problems];
  }

  private body(): MethodDecorator[] {
    const body = this.reflector.get(DocumentedBodies, this.handler);
    if (body === undefined) return [];
    const { mediaType, description } = body;
    const { ApiBody, ApiConsumes } = this.swagger;
    return [ApiConsumes(mediaType), ApiBody({ description, schema: { type: 'string' } })];
  }

  private answer(): MethodDecorator[] {
    const answer = this.reflector.get(DocumentedAnswers, this.handler);
    if (answer === undefined) return [];
    const { status, summary, mediaType, schema } = answer;
    const permission = this.ofHandlerOrController(RequirePermission);
    const needs =
      permission === undefined
        ? {}
        : { description: `Needs the permission ${permission.action} on ${permission.resource}.` };
    const text = { content: { [mediaType]: { schema: { type: 'string' as const } } } };
    const json = schema === undefined ? {} : { standardSchema: schema };
    const body = mediaType === 'application/json' ? json : text;
    return [
      this.swagger.ApiOperation({ summary, ...needs }),
      this.swagger.ApiResponse({ status, description: summary, ...body }),
    ];
  }

  private problems(problems: Readonly<Record<number, string>>): MethodDecorator[] {
    return Object.entries(problems).map(([status, description]) =>
      this.swagger.ApiResponse({ ...problemResponse(description), status: Number(status) }),
    );
  }

  private ofHandlerOrController<Value>(decorator: ReflectableDecorator<Value>): Value | undefined {
    const targets = [this.handler, this.controller] as Parameters<
      Reflector['getAllAndOverride']
    >[1];
    return this.reflector.getAllAndOverride(decorator, targets);
  }
}

/** Adds the problem schema, the problems of each operation, and which bodies may be left out. */
function completeOperations(
  document: OpenAPIObject,
  handlers: ReadonlyMap<string, HandlerDescription>,
): void {
  // A schema with an id comes as a reference to its own definition.
  const { definitions } = problemSchema['~standard'].jsonSchema.output({ target: 'openapi-3.0' });
  document.components ??= {};
  document.components.schemas = { ...document.components.schemas, ...(definitions as object) };
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined) continue;
      const problems = { ...COMMON_PROBLEMS };
      const handler = handlers.get(operation.operationId ?? '');
      if (handler?.isPublic === false) {
        problems['401'] = 'No valid access token';
        problems['403'] = 'The caller is not allowed to do this';
      }
      if (path.includes('{')) problems['404'] = 'No such thing, or not one of yours';
      if (operation.requestBody !== undefined) {
        problems['413'] = 'The body is too large';
        problems['415'] = 'The body is of an unsupported media type';
        if (handler?.acceptsNoBody === true && 'content' in operation.requestBody) {
          operation.requestBody.required = false;
        }
      }
      addMissingResponses(operation, problems);
    }
  }
}

function addMissingResponses(
  operation: Operation,
  problems: Readonly<Record<string, string>>,
): void {
  for (const [status, description] of Object.entries(problems)) {
    operation.responses[status] ??= problemResponse(description);
  }
}

function problemResponse(description: string) {
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}
