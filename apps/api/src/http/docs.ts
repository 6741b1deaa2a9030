import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { serveAssets } from './assets.js';
import { createOpenApiDocument } from './openapi.js';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Pantheon API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/page.js"></script>
  </body>
</html>
`;

const SCRIPT = `SwaggerUIBundle({
  url: '/docs/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

/** What the page needs beyond our usual policy: it styles elements and draws icons inline. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'";

/** Serves the OpenAPI document at /docs/openapi.json and a page to read and try it at /docs. */
export function mountDocs(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  const assetsFolder = dirname(
    createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'),
  );
  let document: Promise<OpenAPIObject> | undefined;

  fastify.get('/docs', (_, reply) =>
    reply.type('text/html').header('content-security-policy', CONTENT_SECURITY_POLICY).send(PAGE),
  );
  fastify.get('/docs/page.js', (_, reply) => reply.type('text/javascript').send(SCRIPT));
  fastify.get('/docs/openapi.json', async (_, reply) => {
    document ??= createOpenApiDocument(app);
    return reply.send(await document);
  });
  const asset = (name: string, mediaType: string) => ({
    url: `/docs/${name}`,
    file: join(assetsFolder, name),
    mediaType,
    headers: { 'cache-control': 'public, max-age=86400' },
  });
  serveAssets(fastify, [
    asset('swagger-ui.css', 'text/css'),
    asset('swagger-ui-bundle.js', 'text/javascript'),
  ]);
}
