/** Makes an AbortSignal only for who asks for it: a controller costs a microsecond. */
export class LazySignal {
  private controller: AbortController | undefined;
  private isAborted = false;

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.isAborted) this.controller.abort();
    }
    return this.controller.signal;
  }

  abort(): void {
    this.isAborted = true;
    this.controller?.abort();
  }
}
