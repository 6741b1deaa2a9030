import type { FastifyInstance } from 'fastify';
import { inProject, serveAssets } from './assets.js';

/** Serves the dashboard, a page that talks to the same API as everybody else. */
export function mountDashboard(fastify: FastifyInstance): void {
  const headers = { 'cache-control': 'no-cache' };
  const asset = (url: string, name: string, mediaType: string) => ({
    url,
    file: inProject('apps', 'dashboard', name),
    mediaType,
    headers,
  });
  serveAssets(fastify, [
    asset('/dashboard', 'index.html', 'text/html'),
    asset('/dashboard/icon.svg', 'icon.svg', 'image/svg+xml'),
    asset('/dashboard/dashboard.css', 'dashboard.css', 'text/css'),
    asset('/dashboard/dashboard.js', 'dashboard.js', 'text/javascript'),
    asset('/dashboard/server-sent-events.js', 'server-sent-events.js', 'text/javascript'),
  ]);
}
