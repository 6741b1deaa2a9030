import type { FastifyInstance, InjectOptions } from 'fastify';
import type { BullQueue } from '../backend/job-backend.js';
import type { JobQueues } from '../job-queues.js';
import type { JobRegistry } from '../job-registry.js';

/** Where the board is mounted; its pages, its assets and its API are all below. */
export const BOARD_PATH = '/v1/jobs/board';

export interface BoardRequest {
  readonly method: InjectOptions['method'];
  /** Path and query as the client sent them. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

export interface BoardAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface Board {
  readonly queues: readonly BullQueue[];
  readonly server: FastifyInstance;
}

/** Headers that mean something to the board; the others stay with the application. */
const PASSED_ON = ['content-type', 'etag', 'last-modified', 'cache-control', 'location'] as const;
const ASKED_WITH = ['accept', 'if-none-match', 'if-modified-since'] as const;

/**
 * The page loads fonts from elsewhere. The policy of our pages forbids it, nobody should know
 * who looks at jobs, and the next font in the list does.
 */
const OUTSIDE_FONTS = /<link[^>]*fonts\.googleapis\.com[^>]*>/g;

/**
 * bull-board on a Fastify server of its own that never listens: it is loaded, which takes time
 * and memory, when the first request comes, and requests are handed to it in memory. One server
 * shows and changes jobs, the other only shows them.
 */
export class JobBoard {
  private readonly boards = new Map<boolean, Promise<Board>>();

  constructor(
    private readonly queues: JobQueues,
    private readonly registry: JobRegistry,
  ) {}

  /** @throws JobsUnavailableError when the job store does not answer in time */
  async answer(request: BoardRequest, canManage: boolean): Promise<BoardAnswer> {
    const { server } = await this.board(canManage);
    const hasBody = request.body !== undefined && request.body !== null;
    const answer = await this.queues.withStore(() =>
      server.inject({
        ...(request.method !== undefined && { method: request.method }),
        url: request.url,
        headers: {
          ...picked(request.headers, ASKED_WITH),
          ...(hasBody && { 'content-type': 'application/json' }),
        },
        ...(hasBody && { payload: JSON.stringify(request.body) }),
      }),
    );
    const headers = picked(answer.headers, PASSED_ON);
    const isPage = headers['content-type']?.startsWith('text/html') === true;
    return {
      status: answer.statusCode,
      headers,
      body: isPage ? Buffer.from(answer.payload.replaceAll(OUTSIDE_FONTS, '')) : answer.rawPayload,
    };
  }

  /** Queues are made anew after they failed to start; the board then follows. */
  private async board(canManage: boolean): Promise<Board> {
    const names = [...this.registry.queues.keys()].sort();
    const queues = await Promise.all(
      names.map((name) => this.queues.use(name, (queue) => Promise.resolve(queue))),
    );
    const known = await this.boards.get(canManage);
    if (known?.queues.every((queue, i) => queue === queues[i]) === true) return known;
    const made = makeBoard(queues, canManage);
    this.boards.set(canManage, made);
    made.catch(() => this.boards.delete(canManage));
    return made;
  }
}

async function makeBoard(queues: readonly BullQueue[], canManage: boolean): Promise<Board> {
  const [{ createBullBoard }, { BullMQAdapter }, { FastifyAdapter }, { fastify }] =
    await Promise.all([
      import('@bull-board/api'),
      import('@bull-board/api/bullMQAdapter'),
      import('@bull-board/fastify'),
      import('fastify'),
    ]);
  const adapter = new FastifyAdapter();
  adapter.setBasePath(BOARD_PATH);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue as never, { readOnlyMode: !canManage })),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Pantheon jobs' } },
  });
  const server = fastify({ logger: false });
  await server.register(adapter.registerPlugin(), { prefix: BOARD_PATH });
  await server.ready();
  return { queues, server };
}

function picked(
  headers: Readonly<Record<string, string | string[] | number | undefined>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, String(value)]];
    }),
  );
}
