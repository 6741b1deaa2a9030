/** To a thread: a piece of work. */
export interface WorkMessage {
  readonly moduleUrl: string;
  readonly input: unknown;
}

/** From a thread: how it went. `runMs` is without the time that it took to load the module. */
export type DoneMessage =
  | { readonly output: unknown; readonly runMs: number }
  | { readonly failure: Failure; readonly runMs: number };

/** What is left of an error between threads. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}
