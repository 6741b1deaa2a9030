/** Runs tasks one after the other, in the order in which they came. */
export class Exclusive {
  #last: Promise<unknown> = Promise.resolve();

  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(task);
    // What becomes of a task is its caller's affair.
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
