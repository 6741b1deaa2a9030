import { inspect } from 'node:util';

/**
 * Holds a value that contains data of rows, such as the most common values of a column, so that it
 * shows neither in logs nor in JSON. Whoever needs it says so by `reveal()`.
 */
export class Confidential<Value> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  reveal(): Value {
    return this.#value;
  }

  toJSON(): string {
    return '[hidden]';
  }

  toString(): string {
    return '[hidden]';
  }

  [inspect.custom](): string {
    return '[hidden]';
  }
}
