import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import {
  DocumentedAnswers,
  DocumentedBodies,
  Idempotent,
  problemSchema,
  Problems,
  Public,
  RequirePermission,
} from '#libs/http';

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
  const secured = documentHandlers(app, swagger);
  const config = new swagger.DocumentBuilder()
    .setTitle('Pantheon')
    .setDescription('A backend for contexts and memories, and the platform it runs on.')
    .setVersion('1')
    .addBearerAuth()
    .build();
  const document = swagger.SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) =>
      `${controller.replace(/Controller$/, '')}.${method}`,
  });
  addProblems(document, secured);
  return document;
}

/** Hands what our decorators recorded to the library; returns the operations that need a token. */
function documentHandlers(app: NestFastifyApplication, swagger: SwaggerLibrary): Set<string> {
  const reflector = app.get(Reflector);
  const secured = new Set<string>();
  for (const { instance, metatype } of app.get(DiscoveryService).getControllers()) {
    if (typeof metatype !== 'function' || typeof instance !== 'object') continue;
    const prototype: object = Object.getPrototypeOf(instance);
    const tag = metatype.name.replace(/Controller$/, '');
    swagger.ApiTags(tag)(metatype);
    for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
      const handler: unknown = descriptor?.value;
      if (descriptor === undefined || typeof handler !== 'function') continue;
      const targets = [handler, metatype] as Parameters<Reflector['getAllAndOverride']>[1];
      const isPublic = reflector.getAllAndOverride(Public, targets) !== undefined;
      const permission = reflector.getAllAndOverride(RequirePermission, targets);
      const answer = reflector.get(DocumentedAnswers, handler as () => void);
      if (!isPublic) {
        secured.add(`${tag}.${name}`);
        swagger.ApiBearerAuth()(prototype, name, descriptor);
      }
      if (reflector.get(Idempotent, handler as () => void) !== undefined) {
        swagger.ApiHeader({
          name: 'Idempotency-Key',
          description: 'A retry under the same key is given the first answer again',
          required: false,
        })(prototype, name, descriptor);
      }
      const requestBody = reflector.get(DocumentedBodies, handler as () => void);
      if (requestBody !== undefined) {
        const { mediaType, description } = requestBody;
        swagger.ApiConsumes(mediaType)(prototype, name, descriptor);
        swagger.ApiBody({ description, schema: { type: 'string' } })(prototype, name, descriptor);
      }
      if (answer === undefined) continue;
      const { status, summary, mediaType, schema } = answer;
      const description =
        permission === undefined
          ? {}
          : { description: `Needs the permission ${permission.action} on ${permission.resource}.` };
      swagger.ApiOperation({ summary, ...description })(prototype, name, descriptor);
      const body =
        schema !== undefined
          ? { standardSchema: schema }
          : mediaType === 'application/json'
            ? {}
            : { content: { [mediaType]: { schema: { type: 'string' as const } } } };
      swagger.ApiResponse({ status, description: summary, ...body })(prototype, name, descriptor);
      const problems = reflector.get(Problems, handler as () => void) ?? {};
      for (const [problemStatus, problem] of Object.entries(problems)) {
        const response = { ...problemResponse(problem), status: Number(problemStatus) };
        swagger.ApiResponse(response)(prototype, name, descriptor);
      }
    }
  }
  return secured;
}

/** Adds the problem schema and the problems of each operation. */
function addProblems(document: OpenAPIObject, secured: ReadonlySet<string>): void {
  const schema = problemSchema['~standard'].jsonSchema.output({ target: 'openapi-3.0' });
  document.components ??= {};
  document.components.schemas = { ...document.components.schemas, Problem: schema as never };
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined) continue;
      const problems = { ...COMMON_PROBLEMS };
      if (secured.has(operation.operationId ?? '')) {
        problems['401'] = 'No valid access token';
        problems['403'] = 'The caller is not allowed to do this';
      }
      if (path.includes('{')) problems['404'] = 'No such thing, or not one of yours';
      if (operation.requestBody !== undefined) {
        problems['413'] = 'The body is too large';
        problems['415'] = 'The body is of an unsupported media type';
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
