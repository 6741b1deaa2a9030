import { Reflector } from '@nestjs/core';

/**
 * Who goes first when more is asked than can be done. `critical`: what tells how we are and lets people
 * in, never refused for load; `interactive`: somebody waits for it; `batch`: it can be done later.
 */
export type PriorityClass = 'critical' | 'interactive' | 'batch';

/** The class of a handler or of a whole controller; without it they are `interactive`. */
export const Priority = Reflector.createDecorator<PriorityClass>();
