import { createReadStream, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';

export interface Asset {
  /** Path under which it is served. */
  readonly url: string;
  readonly file: string;
  readonly mediaType: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Serves single files as they are. */
export function serveAssets(fastify: FastifyInstance, assets: readonly Asset[]): void {
  for (const { url, file, mediaType, headers = {} } of assets) {
    fastify.get(url, (_, reply) =>
      reply.type(mediaType).headers(headers).send(createReadStream(file)),
    );
  }
}

/** A path inside the project, wherever in it this code was compiled or bundled to. */
export function inProject(...parts: readonly string[]): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  // At start-up, once.
  // oxlint-disable-next-line node/no-sync
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, ...parts);
}
