import { types } from 'node:util';
import { CacheKeyError } from './cache-key.error.js';
import { isWellFormed } from './well-formed.js';

const MAX_DEPTH = 100;
/** Also ends what a few objects that hold one another many times would grow to. */
const MAX_VALUES = 1_000_000;

/**
 * A text that is the same for the same values and never the same for others. Order does not matter
 * among the properties of an object, the entries of a Map and the members of a Set; types are told
 * apart (`1`, `'1'` and `1n`; `0` and `-0`; an empty object, array, Map and Set; `{ a: undefined }`
 * and `{}`). Instances of classes count by the name of the class and their own properties, or by
 * what their `toJSON` gives.
 *
 * @throws CacheKeyError for functions, local symbols, cycles, and objects that show nothing of what
 * they hold, such as promises, streams and instances with `#private` fields alone
 */
export function canonical(value: unknown, where = 'the value'): string {
  const scalar = scalarText(value);
  return scalar ?? new CanonicalWriter(where).text(value);
}

/** As `canonical`, of a list of arguments; `undefined` at the end is as if it was not given. */
export function canonicalArguments(args: readonly unknown[]): string {
  let { length } = args;
  while (length > 0 && args[length - 1] === undefined) length -= 1;
  let text = '';
  for (let index = 0; index < length; index += 1) {
    const value = args[index];
    text += scalarText(value) ?? new CanonicalWriter(`argument ${index}`).text(value);
  }
  return text;
}

/** Each text tells where it ends, so that texts in a row are as good as one. */
function scalarText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return stringText(value);
    case 'number':
      return Object.is(value, -0) ? 'd-0;' : `d${value};`;
    case 'boolean':
      return value ? 't' : 'f';
    case 'undefined':
      return 'u';
    case 'bigint':
      return `i${value};`;
    default:
      return value === null ? 'n' : undefined;
  }
}

/** Lone surrogates are written out: as UTF-8 they would all be the same. */
function stringText(value: string): string {
  if (isWellFormed(value)) return `s${value.length}:${value}`;
  const escaped = JSON.stringify(value);
  return `e${escaped.length}:${escaped}`;
}

class CanonicalWriter {
  private valuesLeft = MAX_VALUES;
  private readonly ancestors: object[] = [];
  private readonly path: string[] = [];

  constructor(private readonly where: string) {}

  text(value: unknown): string {
    const scalar = scalarText(value);
    if (scalar !== undefined) return scalar;
    if (typeof value === 'symbol') return this.symbolText(value);
    if (typeof value === 'function') throw this.fault('it is a function');
    const object = value as object;
    if (this.ancestors.includes(object)) throw this.fault('it contains itself');
    if (this.ancestors.length >= MAX_DEPTH) throw this.fault(`it is deeper than ${MAX_DEPTH}`);
    this.ancestors.push(object);
    const text = this.objectText(object);
    this.ancestors.pop();
    return text;
  }

  private objectText(value: object): string {
    if (Array.isArray(value)) return this.arrayText(value);
    const special = this.specialText(value);
    if (special !== undefined) return special;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === null || isObjectPrototype(prototype as object)) {
      return `{${this.propertiesText(value)}}`;
    }
    return this.instanceText(value, nameOf(prototype as object));
  }

  private arrayText(value: readonly unknown[]): string {
    let text = '[';
    for (let index = 0; index < value.length; index += 1) {
      text += index in value ? this.member(String(index), value[index]) : 'h';
    }
    return `${text}]`;
  }

  private specialText(value: object): string | undefined {
    if (types.isDate(value)) return `D${value.getTime()};`;
    if (types.isMap(value)) return this.sortedText('M', value.entries());
    if (types.isSet(value)) return this.sortedText('S', value.values());
    if (ArrayBuffer.isView(value)) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      return `B${stringText(nameOf(value))}${stringText(bytes.toString('base64'))}`;
    }
    if (types.isAnyArrayBuffer(value)) {
      return `A${stringText(Buffer.from(value).toString('base64'))}`;
    }
    if (types.isRegExp(value)) return `R${stringText(value.source)}${stringText(value.flags)}`;
    if (types.isBoxedPrimitive(value)) return `x${this.text(value.valueOf())}`;
    return undefined;
  }

  private sortedText(tag: string, members: Iterable<unknown>): string {
    const texts: string[] = [];
    for (const member of members) texts.push(this.member(String(texts.length), member));
    return `${tag}${texts.length}:${texts.sort().join('')}`;
  }

  private propertiesText(value: object): string {
    let text = '';
    const names = Object.keys(value);
    if (names.length > 1) names.sort();
    for (const name of names) {
      text += stringText(name) + this.member(name, (value as Record<string, unknown>)[name]);
    }
    const symbols = Object.getOwnPropertySymbols(value);
    return symbols.length === 0 ? text : text + this.symbolsText(value, symbols);
  }

  private symbolsText(value: object, symbols: readonly symbol[]): string {
    const texts = symbols
      .filter((symbol) => Object.prototype.propertyIsEnumerable.call(value, symbol))
      .map((symbol) => {
        const member = (value as Record<symbol, unknown>)[symbol];
        return this.symbolText(symbol) + this.member(String(symbol), member);
      });
    return texts.sort().join('');
  }

  private instanceText(value: object, name: string): string {
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') {
      return `J${stringText(name)}${this.text(toJSON.call(value))}`;
    }
    if (Object.keys(value).length === 0) {
      throw this.fault(`it is of the class ${name} and shows no properties`);
    }
    return `C${stringText(name)}{${this.propertiesText(value)}}`;
  }

  private symbolText(symbol: symbol): string {
    const name = Symbol.keyFor(symbol);
    if (name === undefined) throw this.fault('it is, or has, a symbol that is not registered');
    return `y${stringText(name)}`;
  }

  private member(name: string, value: unknown): string {
    this.valuesLeft -= 1;
    if (this.valuesLeft < 0) throw this.fault(`it holds more than ${MAX_VALUES} values`);
    this.path.push(name);
    const text = this.text(value);
    this.path.pop();
    return text;
  }

  private fault(reason: string): CacheKeyError {
    return new CacheKeyError([this.where, ...this.path].join('.'), reason);
  }
}

/** Also that of another realm. */
function isObjectPrototype(prototype: object): boolean {
  return (
    prototype === Object.prototype ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty'))
  );
}

function nameOf(value: object): string {
  return (value.constructor as { name?: string } | undefined)?.name ?? '';
}
