import type { OpenAPIObject } from '@nestjs/swagger';

/** The parts of a JSON schema that hostile inputs are made from. */
export interface InputSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, InputSchema>>;
  readonly items?: InputSchema;
  readonly required?: readonly string[];
  readonly $ref?: string;
  /** Of a body that has one of several forms. */
  readonly anyOf?: readonly InputSchema[];
}

/** One operation of the OpenAPI document. */
export interface Operation {
  readonly method: string;
  /** Template, such as `/v1/sources/{id}`. */
  readonly path: string;
  readonly secured: boolean;
  /** Schema of the JSON body, if it takes one. */
  readonly body: InputSchema | undefined;
  readonly queryParameters: readonly { readonly name: string; readonly schema: InputSchema }[];
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Every operation that the document describes. */
export function operationsOf(document: OpenAPIObject): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      if (operation === undefined) return [];
      const requestBody = operation.requestBody;
      const body =
        requestBody !== undefined && 'content' in requestBody
          ? requestBody.content['application/json']?.schema
          : undefined;
      const parameters = (operation.parameters ?? []) as {
        in: string;
        name: string;
        schema?: InputSchema;
      }[];
      return [
        {
          method: method.toUpperCase(),
          path,
          secured: (operation.security ?? []).length > 0,
          body: body === undefined ? undefined : resolve(document, body as InputSchema),
          queryParameters: parameters
            .filter((parameter) => parameter.in === 'query')
            .map(({ name, schema }) => ({ name, schema: schema ?? {} })),
        },
      ];
    }),
  );
}

/** The schema itself; of one of several forms, the first. */
function resolve(document: OpenAPIObject, schema: InputSchema): InputSchema {
  const [first] = schema.anyOf ?? [];
  if (first !== undefined) return resolve(document, first);
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.split('/').at(-1) ?? '';
  return (document.components?.schemas?.[name] ?? {}) as InputSchema;
}
