import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { compileSerializer, type DocumentedAnswer, DocumentedAnswers, hasTimes } from '#libs/http';

type Serializer = (value: unknown) => string;

/**
 * Writes answers by the schema that their handler states with `Returns`, where that pays: where there
 * are times in them (`npm run bench:json`). A schema is looked at when its route first answers. To be
 * called before routes are registered.
 */
export function serializeBySchema(app: NestFastifyApplication): void {
  const answers = documentedAnswers(app);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', (route) => {
      const answer = answers.get(route.handler.name);
      if (answer?.schema === undefined) return;
      const serialize = lazily(answer);
      route.schema = { ...route.schema, response: { [answer.status]: { type: 'object' } } };
      route.serializerCompiler = () => serialize;
    });
}

/** By the name that Nest gives to the handlers of routes; none where two have the same. */
function documentedAnswers(app: NestFastifyApplication): ReadonlyMap<string, DocumentedAnswer> {
  const reflector = app.get(Reflector);
  const scanner = new MetadataScanner();
  const answers = new Map<string, DocumentedAnswer>();
  const seen = new Set<string>();
  for (const { metatype } of app.get(DiscoveryService).getControllers()) {
    if (metatype === null || metatype === undefined) continue;
    const prototype = metatype.prototype as Readonly<Record<string, (...args: never[]) => unknown>>;
    for (const method of scanner.getAllMethodNames(prototype)) {
      const answer = reflector.get(DocumentedAnswers, prototype[method] as never);
      const name = `${metatype.name}.${method}`;
      if (seen.has(name)) answers.delete(name);
      else if (answer !== undefined) answers.set(name, answer);
      seen.add(name);
    }
  }
  return answers;
}

function lazily({ schema }: DocumentedAnswer): Serializer {
  let serialize: Serializer | undefined;
  return (value) => {
    if (serialize === undefined) {
      const pays = schema !== undefined && hasTimes(schema);
      serialize = pays ? compileSerializer(schema) : JSON.stringify;
    }
    return serialize(value);
  };
}
