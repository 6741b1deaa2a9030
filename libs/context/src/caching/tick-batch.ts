interface Waiting<Key, Value> {
  readonly key: Key;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/** Loads what is asked for within one tick together, by one call of `loadAll`. */
export class TickBatch<Key, Value> {
  private waiting: Waiting<Key, Value>[] = [];

  /** @param loadAll answers in the order of the keys */
  constructor(private readonly loadAll: (keys: readonly Key[]) => Promise<readonly Value[]>) {}

  load(key: Key): Promise<Value> {
    return new Promise((resolve, reject) => {
      // A tick ends when every promise that can go on has gone on.
      if (this.waiting.length === 0) process.nextTick(() => void this.flush());
      this.waiting.push({ key, resolve, reject });
    });
  }

  private async flush(): Promise<void> {
    const batch = this.waiting;
    this.waiting = [];
    try {
      const values = await this.loadAll(batch.map(({ key }) => key));
      for (const [index, { resolve }] of batch.entries()) resolve(values[index] as Value);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
