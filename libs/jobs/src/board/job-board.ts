import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { BullQueue } from '../backend/job-backend.js';
import type { JobQueues } from '../job-queues.js';
import type { JobRegistry } from '../job-registry.js';
import { BoardAdapter, type BoardAnswer, type BoardRequest } from './board-adapter.js';

/** Where the board is mounted; its pages, its assets and its API are all below. */
export const BOARD_PATH = '/v1/jobs/board';

interface Board {
  readonly queues: readonly BullQueue[];
  readonly adapter: BoardAdapter;
}

/**
 * bull-board, loaded when the first request comes. One board shows and changes jobs, the other
 * only shows them.
 */
export class JobBoard {
  private readonly boards = new Map<boolean, Board>();

  constructor(
    private readonly queues: JobQueues,
    private readonly registry: JobRegistry,
  ) {}

  /** @throws JobsUnavailableError when the job store does not answer in time */
  async answer(request: BoardRequest, canManage: boolean): Promise<BoardAnswer> {
    const { adapter } = await this.board(canManage);
    return this.queues.withStore(() => adapter.answer(request));
  }

  /** Queues are made anew after they failed to start; the board then follows. */
  private async board(canManage: boolean): Promise<Board> {
    const names = [...this.registry.queues.keys()].sort();
    const queues = await Promise.all(
      names.map((name) => this.queues.use(name, (queue) => Promise.resolve(queue))),
    );
    const known = this.boards.get(canManage);
    if (known?.queues.every((queue, i) => queue === queues[i]) === true) return known;
    const board = { queues, adapter: await createBoard(queues, canManage) };
    this.boards.set(canManage, board);
    return board;
  }
}

async function createBoard(
  queues: readonly BullQueue[],
  canManage: boolean,
): Promise<BoardAdapter> {
  const [{ createBullBoard }, { BullMQAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
  ]);
  const adapter = new BoardAdapter(BOARD_PATH);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue as never, { readOnlyMode: !canManage })),
    serverAdapter: adapter,
    options: {
      uiBasePath: dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json')),
      uiConfig: { boardTitle: 'Pantheon jobs' },
    },
  });
  return adapter;
}
