import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type {
  AppControllerRoute,
  AppViewRoute,
  BullBoardQueues,
  ControllerHandlerReturnType,
  IServerAdapter,
  UIConfig,
} from '@bull-board/api/typings/app';
import { PantheonError } from '#libs/core';
import { BoardRoutes } from './board-routes.js';
import { fillTemplate } from './page-template.js';

export interface BoardRequest {
  readonly method: string;
  /** Path below the board's own, as the client sent it: `/api/queues`. */
  readonly path: string;
  readonly query: unknown;
  readonly body: unknown;
}

export interface BoardAnswer {
  readonly status: number;
  readonly type: string;
  readonly cacheControl: string;
  readonly body: string | Buffer;
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.ico': 'image/x-icon',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/** Names of assets: no way up out of their folder, and nothing hidden. */
const ASSET = /^\/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*\/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*$/;

/**
 * The page loads fonts from elsewhere. The policy of our pages forbids it, nobody should know
 * who looks at jobs, and the next font in the list does.
 */
const OUTSIDE_FONTS = /<link[^>]*fonts\.googleapis\.com[^>]*>/g;

/**
 * Serves bull-board without a server of its own, so that its pages pass the checks of ours. Its
 * own adapter for Fastify brings a template engine for one page and a file server, and is a
 * plug-in that would have to be loaded at the start, which costs every process time and memory.
 */
export class BoardAdapter implements IServerAdapter {
  private queues: BullBoardQueues = new Map();
  private uiConfig: UIConfig = {};
  private page = '';
  private assets = { route: '', folder: '' };
  private entry: AppViewRoute | undefined;
  private readonly pages = new BoardRoutes<AppViewRoute>();
  private readonly api = new BoardRoutes<AppControllerRoute>();

  constructor(private readonly basePath: string) {}

  setQueues(queues: BullBoardQueues): this {
    this.queues = queues;
    return this;
  }

  setViewsPath(folder: string): this {
    this.page = join(folder, 'index.ejs');
    return this;
  }

  setStaticPath(route: string, folder: string): this {
    this.assets = { route, folder };
    return this;
  }

  setEntryRoute(route: AppViewRoute): this {
    this.entry = route;
    this.pages.add(route);
    return this;
  }

  /** Errors go to the application, which answers and logs them as its own. */
  setErrorHandler(): this {
    return this;
  }

  setApiRoutes(routes: AppControllerRoute[]): this {
    for (const route of routes) this.api.add(route);
    return this;
  }

  setUIConfig(config: UIConfig): this {
    this.uiConfig = config;
    return this;
  }

  /** @throws PantheonError for what the board does not have; whatever the store throws */
  async answer(request: BoardRequest): Promise<BoardAnswer> {
    const { method, path } = request;
    const api = this.api.find(method, path);
    if (api !== undefined) return this.call(api.route, api.params, request);
    if (method === 'GET' && path.startsWith(`${this.assets.route}/`)) {
      return this.asset(path.slice(this.assets.route.length));
    }
    if (this.pages.find(method, path) !== undefined) return this.render();
    throw notFound(path);
  }

  private async call(
    route: AppControllerRoute,
    params: Record<string, string>,
    { query, body }: BoardRequest,
  ): Promise<BoardAnswer> {
    const result: ControllerHandlerReturnType = await route.handler({
      queues: this.queues,
      uiConfig: this.uiConfig,
      query: (query ?? {}) as Record<string, unknown>,
      params,
      body: (body ?? {}) as Record<string, unknown>,
      headers: {},
    });
    return {
      status: result.status ?? 200,
      type: 'application/json; charset=utf-8',
      cacheControl: 'no-store',
      body: typeof result.body === 'string' ? result.body : JSON.stringify(result.body),
    };
  }

  private async asset(name: string): Promise<BoardAnswer> {
    const type = MEDIA_TYPES[extname(name)];
    if (type === undefined || !ASSET.test(name)) throw notFound(name);
    const body = await readFile(join(this.assets.folder, name)).catch(() => {
      throw notFound(name);
    });
    return { status: 200, type, cacheControl: 'private, max-age=86400', body };
  }

  private async render(): Promise<BoardAnswer> {
    const { basePath, uiConfig } = this;
    const values = this.entry?.handler({ basePath, uiConfig }).params ?? {};
    const template = await readFile(this.page, 'utf8');
    return {
      status: 200,
      type: 'text/html; charset=utf-8',
      cacheControl: 'no-store',
      body: fillTemplate(template.replaceAll(OUTSIDE_FONTS, ''), values),
    };
  }
}

function notFound(path: string): PantheonError {
  return new PantheonError('JOB_BOARD_PAGE_MISSING', `The job board has no ${path}.`, {
    kind: 'not-found',
  });
}
