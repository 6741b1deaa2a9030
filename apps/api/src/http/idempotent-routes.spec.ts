import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DeadlineExceededError, PantheonError } from '#libs/core';
import { type AuthenticatedRequest, Idempotent } from '#libs/http';
import {
  createContext,
  currentContext,
  MemoryLogDestination,
  RootLogger,
  runWithContext,
} from '#libs/logging';
import {
  type ClaimOutcome,
  type IdempotencyClaim,
  IdempotencyStore,
  type StoredAnswer,
} from '#libs/persistence';
import { useDirectRoutes } from './direct-routes.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { useIdempotency } from './idempotent-routes.js';
import { ProblemFilter } from './problem.filter.js';

/** Begins nothing after a deadline, as a database does. */
class DatabaseLikeStore extends IdempotencyStore {
  readonly kept = new Map<string, StoredAnswer | undefined>();
  isBroken = false;
  renewed = 0;

  async renew(): Promise<void> {
    this.begin();
    this.renewed += 1;
  }

  async claim({ key }: IdempotencyClaim): Promise<ClaimOutcome> {
    this.begin();
    if (!this.kept.has(key)) {
      this.kept.set(key, undefined);
      return { state: 'claimed' };
    }
    const answer = this.kept.get(key);
    return answer === undefined ? { state: 'running' } : { state: 'answered', answer };
  }

  async complete({ key }: IdempotencyClaim, answer: StoredAnswer): Promise<void> {
    this.begin();
    if (this.isBroken) throw new Error('broken');
    this.kept.set(key, answer);
  }

  async release({ key }: IdempotencyClaim): Promise<void> {
    this.begin();
    this.kept.delete(key);
  }

  private begin(): void {
    const deadlineMs = currentContext()?.deadlineMs;
    if (deadlineMs !== undefined && deadlineMs <= performance.now()) {
      throw new DeadlineExceededError('a statement of the database');
    }
  }
}

let made: number;
let isLate: boolean;
let failure: Error | undefined;
let work: (() => Promise<void>) | undefined;

@Controller('things')
class Things {
  @Post()
  @Idempotent()
  async make(): Promise<object> {
    made += 1;
    await work?.();
    const context = currentContext();
    if (isLate && context !== undefined) context.deadlineMs = performance.now() - 1;
    if (failure !== undefined) throw failure;
    return { made };
  }

  @Get()
  list(): object {
    return { made };
  }
}

/** A module of who embeds the API. */
@Module({ controllers: [Things] })
class EmbeddedModule {}

@Module({})
class AppModule {}

describe('a handler that is marked @Idempotent()', () => {
  let app: NestFastifyApplication;
  let url: string;
  let store: DatabaseLikeStore;
  let log: MemoryLogDestination;

  beforeEach(async () => {
    made = 0;
    isLate = false;
    failure = undefined;
    work = undefined;
    store = new DatabaseLikeStore();
    log = new MemoryLogDestination();
    const root = new RootLogger({ service: 'test', destination: log });
    app = await NestFactory.create<NestFastifyApplication>(
      {
        module: AppModule,
        imports: [EmbeddedModule],
        providers: [
          { provide: IdempotencyStore, useValue: store },
          { provide: RootLogger, useValue: root },
          IdempotencyInterceptor,
        ],
      },
      new FastifyAdapter(),
      { logger: false, abortOnError: false },
    );
    useIdempotency(app);
    useDirectRoutes(app);
    app.useGlobalFilters(new ProblemFilter(root));
    const fastify = app.getHttpAdapter().getInstance();
    fastify.addHook('onRequest', (request, _reply, done) => {
      Object.assign(request, { principal: { userId: 'ann' } } as AuthenticatedRequest);
      runWithContext(createContext({ deadlineMs: performance.now() + 60_000 }), done);
    });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterEach(() => app.close());

  async function post(): Promise<{ status: number; body: unknown }> {
    const headers = { 'idempotency-key': 'key' };
    const answer = await fetch(`${url}/things`, { method: 'POST', headers });
    return { status: answer.status, body: await answer.json() };
  }

  it('answers a retry from what is kept, in whichever module it is', async () => {
    expect(await post()).toEqual({ status: 201, body: { made: 1 } });
    expect(await post()).toEqual({ status: 201, body: { made: 1 } });
    expect(await (await fetch(`${url}/things`)).json()).toEqual({ made: 1 });
  });

  it('keeps what is done also when the time for the request ended with it', async () => {
    isLate = true;
    expect(await post()).toEqual({ status: 201, body: { made: 1 } });
    expect(await post()).toEqual({ status: 201, body: { made: 1 } });
  });

  it('may be tried again at once after a failure, that of its deadline included', async () => {
    isLate = true;
    failure = new DeadlineExceededError('a statement of the database');
    expect(await post()).toMatchObject({ status: 504 });
    isLate = false;
    failure = new PantheonError('TAKEN', 'It is taken.', { kind: 'conflict' });
    expect(await post()).toMatchObject({ status: 409, body: { code: 'TAKEN' } });
    failure = undefined;
    expect(await post()).toEqual({ status: 201, body: { made: 3 } });
  });

  it('keeps its key for as long as it is at work, and no longer', async () => {
    jest.useFakeTimers({
      doNotFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'nextTick', 'performance', 'Date'],
    });
    try {
      work = async () => {
        isLate = true;
        await jest.advanceTimersByTimeAsync(95_000);
      };
      expect(await post()).toMatchObject({ status: 201 });
      expect(store.renewed).toBe(3);
      await jest.advanceTimersByTimeAsync(300_000);
      expect(store.renewed).toBe(3);
    } finally {
      jest.useRealTimers();
    }
  });

  it('is not done again when its answer could not be kept', async () => {
    store.isBroken = true;
    expect(await post()).toEqual({ status: 201, body: { made: 1 } });
    expect(log.records.map(({ level }) => level)).toEqual(['error']);
    expect(await post()).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_KEY_IN_USE' } });
    expect(made).toBe(1);
  });
});
