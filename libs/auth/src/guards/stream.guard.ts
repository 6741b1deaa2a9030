import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { SettingsStore } from '#libs/config';
import { BackgroundTasks } from '#libs/core';
import {
  DocumentedAnswers,
  DocumentedBodies,
  type GuardedRequest,
  type RouteCheck,
  RouteChecks,
  type RouteGuard,
} from '#libs/http';
import { currentContext, RootLogger } from '#libs/logging';
import { LastingCaller } from '../accounts/lasting-caller.js';
import { authSettings } from '../auth.settings.js';
import { PermissionGuard } from './permission.guard.js';

const EVENTS = 'text/event-stream';
const LINES = 'application/x-ndjson';

/** An answer or a body that goes on. */
interface Stream {
  readonly request: GuardedRequest;
  readonly reply: FastifyReply;
  readonly isEndless: boolean;
  readonly permission: RouteCheck | undefined;
  readonly requestId: string | undefined;
}

/**
 * Lets everybody through, and follows those who are sent events or lines or who send lines: a stream
 * must not go on when a request for it would be refused. Every `auth.streamCheckMs` their callers and
 * the permission of the route are looked at again; the connection of who may not have it is closed.
 * Comes after the guards that know who is asking.
 */
@Injectable()
export class StreamGuard implements CanActivate, RouteGuard, OnModuleInit, OnApplicationShutdown {
  private readonly streams = new Set<Stream>();
  private readonly tasks: BackgroundTasks;
  private timer: NodeJS.Timeout | undefined;
  private readonly checks = new RouteChecks((handler, controller) => {
    const isEndless = this.isOf(handler, EVENTS);
    if (!isEndless && !this.isOf(handler, LINES)) return undefined;
    const permission = this.permissions.checkOf(handler, controller);
    return (request, reply) => {
      if (request.principal === undefined) return;
      const { requestId } = currentContext() ?? {};
      this.follow({ request, reply, isEndless, permission, requestId });
    };
  });

  constructor(
    private readonly caller: LastingCaller,
    private readonly permissions: PermissionGuard,
    private readonly reflector: Reflector,
    private readonly settings: SettingsStore,
    private readonly log: RootLogger,
  ) {
    this.tasks = new BackgroundTasks((error) => {
      log.module('auth').error('The callers of streams could not be looked at', { err: error });
    });
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return this.checks.ask(context);
  }

  checkOf(handler: object, controller: object): RouteCheck | undefined {
    return this.checks.of(handler, controller);
  }

  /** The timer is nobody's: one that a request started would have its context and its deadline. */
  onModuleInit(): void {
    const { streamCheckMs } = this.settings.get(authSettings);
    this.timer ??= setInterval(() => this.checkAll(), streamCheckMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.tasks.drain();
  }

  private checkAll(): void {
    // Whoever waits for the database still would wait twice.
    if (this.streams.size === 0 || this.tasks.size > 0) return;
    this.tasks.run(() => Promise.all([...this.streams].map((stream) => this.check(stream))));
  }

  private follow(stream: Stream): void {
    this.streams.add(stream);
    stream.reply.raw.once('close', () => this.streams.delete(stream));
  }

  /** What cannot be found out ends a stream, as it would keep a request out. */
  private async check(stream: Stream): Promise<void> {
    const { request, reply, isEndless, permission } = stream;
    try {
      request.principal = await this.caller.principalOf(request, isEndless);
      await permission?.(request, reply);
    } catch (error) {
      this.end(stream, error);
    }
  }

  private end(stream: Stream, error: unknown): void {
    if (!this.streams.delete(stream)) return;
    const { reply, requestId } = stream;
    const message = 'A stream was ended, for its caller may not have it any more';
    this.log.module('auth').info(message, { requestId, err: error });
    reply.raw.destroy();
  }

  private isOf(handler: object, mediaType: string): boolean {
    const target = handler as Parameters<Reflector['get']>[1];
    return (
      this.reflector.get(DocumentedAnswers, target)?.mediaType === mediaType ||
      this.reflector.get(DocumentedBodies, target)?.mediaType === mediaType ||
      (mediaType === EVENTS && Reflect.hasMetadata(SSE_METADATA, handler))
    );
  }
}
