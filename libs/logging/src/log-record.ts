import { MASK, maskSecretsIn, type SecretNames } from './secrets.js';

/** Bounds of one line, so that no value, however large or deep, stalls the event loop. */
export interface RecordLimits {
  readonly maxStringChars: number;
  readonly maxDepth: number;
  /** Of each array or object. */
  readonly maxItems: number;
  /** Of the whole line, as well as the next. */
  readonly maxValues: number;
  readonly maxTotalChars: number;
}

export type LogRecord = Record<string, unknown>;

const CUT = '…';
/** `type` says the name; bound values of a statement may be anybody's secrets, whatever their columns. */
const NOT_SHOWN_OF_ERRORS = new Set(['name', 'parameters', 'params']);

/**
 * Copies what a caller wants logged into plain JSON values: secrets masked by the names of
 * their fields and inside texts, errors with their causes, cycles and depths cut, nothing that
 * can throw while the line is written.
 */
export class RecordCopier {
  private valuesLeft = 0;
  private charsLeft = 0;
  private readonly ancestors: object[] = [];

  constructor(
    private readonly names: SecretNames,
    private readonly limits: RecordLimits,
  ) {}

  /** Copies the fields of `data` into `target`. An error becomes the field `err`. */
  copyInto(target: LogRecord, data: object): void {
    this.valuesLeft = this.limits.maxValues;
    this.charsLeft = this.limits.maxTotalChars;
    this.ancestors.length = 0;
    if (data instanceof Error) {
      target['err'] = this.value(data, 0);
      return;
    }
    this.fields(data, 0, target);
  }

  /** A text as it may stand in a line. */
  text(text: string): string {
    const { maxStringChars } = this.limits;
    // Cut first: a secret that straddles the cut is masked as far as it is shown.
    return maskSecretsIn(text.length > maxStringChars ? text.slice(0, maxStringChars) + CUT : text);
  }

  private value(value: unknown, depth: number): unknown {
    if (--this.valuesLeft < 0) return CUT;
    switch (typeof value) {
      case 'string':
        return this.boundedText(value);
      case 'bigint':
        return value.toString();
      case 'symbol':
      case 'function':
        return undefined;
      case 'object':
        return value === null ? null : this.object(value, depth);
      case 'number':
        return Number.isFinite(value) ? value : String(value);
      default:
        return value;
    }
  }

  private boundedText(text: string): string {
    const shown = text.length > this.charsLeft ? text.slice(0, this.charsLeft) + CUT : text;
    this.charsLeft -= Math.min(text.length, this.limits.maxStringChars, this.charsLeft);
    return this.text(shown);
  }

  private object(value: object, depth: number): unknown {
    if (this.ancestors.includes(value)) return '[Circular]';
    if (depth >= this.limits.maxDepth) return CUT;
    this.ancestors.push(value);
    try {
      return this.known(value, depth);
    } catch {
      // A getter, a proxy or a toJSON that throws must not cost the line.
      return '[Unreadable]';
    } finally {
      this.ancestors.pop();
    }
  }

  private known(value: object, depth: number): unknown {
    if (value instanceof Error) return this.error(value, depth);
    if (Array.isArray(value)) return this.items(value, value.length, depth);
    if (value instanceof Date) return Number.isNaN(value.valueOf()) ? null : value.toISOString();
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof Map) return this.map(value, depth);
    if (value instanceof Set) return this.items(value, value.size, depth);
    if ('toJSON' in value && typeof value.toJSON === 'function') {
      const json: unknown = value.toJSON();
      return json === value ? this.fields(value, depth, {}) : this.value(json, depth + 1);
    }
    return this.fields(value, depth, {});
  }

  private fields(value: object, depth: number, target: LogRecord): LogRecord {
    let items = 0;
    for (const name of Object.keys(value)) {
      if (++items > this.limits.maxItems || this.valuesLeft <= 0) {
        target[CUT] = `${Object.keys(value).length - items + 1} more`;
        break;
      }
      this.field(target, name, (value as LogRecord)[name], depth);
    }
    return target;
  }

  private field(target: LogRecord, name: string, value: unknown, depth: number): void {
    if (value === undefined || name === '__proto__') return;
    const secret = value !== null && this.names.isSecret(name, value);
    target[name] = secret ? MASK : this.value(value, depth + 1);
  }

  private items(values: Iterable<unknown>, length: number, depth: number): unknown[] {
    const copy: unknown[] = [];
    for (const value of values) {
      if (copy.length >= this.limits.maxItems || this.valuesLeft <= 0) {
        copy.push(`${CUT} ${length - copy.length} more`);
        break;
      }
      copy.push(this.value(value, depth + 1) ?? null);
    }
    return copy;
  }

  private map(map: ReadonlyMap<unknown, unknown>, depth: number): LogRecord {
    const target: LogRecord = {};
    for (const [name, value] of map) {
      if (Object.keys(target).length >= this.limits.maxItems) break;
      this.field(target, String(name), value, depth);
    }
    return target;
  }

  private error(error: Error, depth: number): LogRecord {
    const target: LogRecord = { type: error.name, message: this.boundedText(error.message) };
    if (error.stack !== undefined) target['stack'] = this.boundedText(error.stack);
    for (const name of Object.keys(error)) {
      if (Object.hasOwn(target, name) || NOT_SHOWN_OF_ERRORS.has(name)) continue;
      this.field(target, name, (error as unknown as LogRecord)[name], depth);
    }
    if (error.cause !== undefined) target['cause'] = this.value(error.cause, depth + 1);
    if (error instanceof AggregateError) {
      target['errors'] = this.items(error.errors, error.errors.length, depth);
    }
    return target;
  }
}
