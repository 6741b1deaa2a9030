import { z } from 'zod';
import {
  NoJsonValue,
  writeAny,
  writeDate,
  writeFlag,
  writeNumber,
  writeText,
} from './write-values.js';

/** What is read of a JSON Schema. */
interface Shape {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Shape[];
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Shape;
}

/** More values of an enumeration are looked at as any text. */
const MOST_CHOICES = 8;
const LONGEST_REMEMBERED = 40;

const WRITERS = { writeAny, writeText, writeNumber, writeFlag, writeDate, keysOf: Object.keys };

/**
 * A function that writes values of a schema as JSON, made of the schema once. It writes whatever
 * `JSON.stringify` would, in the order of the schema: the schema says what to expect, and what is not
 * as expected (more properties, another type, an own `toJSON`) is left to `JSON.stringify`. So a
 * schema that is wrong costs time and nothing else.
 *
 * Most of what it gains is times: V8 calls `toJSON` for each, which takes a microsecond.
 */
export function compileSerializer(schema: z.ZodType): (value: unknown) => string {
  const shape = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Shape;
  const program = new Program();
  const root = program.writerOf(shape);
  // The source has names of properties in it, each as a literal of JSON, and nothing else from outside.
  // oxlint-disable-next-line typescript/no-implied-eval
  const make = new Function(
    ...Object.keys(WRITERS),
    `'use strict';\n${program.source}\nreturn ${root};`,
  ) as (...writers: unknown[]) => (value: unknown) => string;
  const write = make(...Object.values(WRITERS));
  return (value) => {
    try {
      return write(value);
    } catch (error) {
      if (error instanceof NoJsonValue) return JSON.stringify(value);
      throw error;
    }
  };
}

/** Whether values of a schema always have times in them, which is where compiling it pays. */
export function hasTimes(schema: z.ZodType): boolean {
  return timesIn(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Shape);
}

function timesIn(given: Shape): boolean {
  const { format, items, properties = {}, required = [] } = withoutNull(given);
  if (format === 'date-time') return true;
  if (items !== undefined) return timesIn(items);
  return required.some((name) => timesIn(properties[name] ?? {}));
}

/** Names the function that writes a shape, and makes its source where there is none yet. */
class Program {
  source = '';
  private count = 0;

  writerOf(given: Shape): string {
    const shape = withoutNull(given);
    switch (shape.type) {
      case 'string':
        return shape.format === 'date-time' ? 'writeDate' : 'writeText';
      case 'number':
      case 'integer':
        return 'writeNumber';
      case 'boolean':
        return 'writeFlag';
      case 'array':
        return shape.items === undefined ? 'writeAny' : this.addArray(shape.items);
      case 'object':
        return this.addObject(shape);
      default:
        return 'writeAny';
    }
  }

  private addArray(items: Shape): string {
    const item = this.writerOf(items);
    return this.add(`
      if (!Array.isArray(value) || value.toJSON !== undefined) return writeAny(value);
      const { length } = value;
      if (length === 0) return '[]';
      let text = '[' + (value[0] === undefined ? 'null' : ${item}(value[0]));
      for (let at = 1; at < length; at += 1) {
        const one = value[at];
        text += one === undefined ? ',null' : ',' + ${item}(one);
      }
      return text + ']';`);
  }

  private addObject({ properties = {}, required = [], additionalProperties }: Shape): string {
    const names = Object.keys(properties);
    const always = names.filter((name) => required.includes(name));
    const sometimes = names.filter((name) => !required.includes(name));
    const isOpen = typeof additionalProperties === 'object' || additionalProperties === true;
    if (isOpen || always.length === 0) return 'writeAny';
    const local = new Map([...always, ...sometimes].map((name, at) => [name, `v${at}`]));
    const member = (name: string, before: string): string =>
      this.member(
        `${before}${JSON.stringify(name)}:`,
        properties[name] as Shape,
        local.get(name) as string,
      );
    const reads = [...local].map(
      ([name, variable]) => `const ${variable} = value[${JSON.stringify(name)}];`,
    );
    const missing = always.map((name) => `${local.get(name)} === undefined`);
    const present = sometimes.map((name) => `(${local.get(name)} === undefined ? 0 : 1)`);
    const parts = [
      ...always.map((name, at) => member(name, at === 0 ? '{' : ',')),
      ...sometimes.map((name) => `(${local.get(name)} === undefined ? '' : ${member(name, ',')})`),
    ];
    return this.add(`
      if (typeof value !== 'object' || value === null || typeof value.toJSON === 'function') {
        return writeAny(value);
      }
      ${reads.join('\n      ')}
      if (${missing.join(' || ')}) return writeAny(value);
      if (keysOf(value).length !== ${[always.length, ...present].join(' + ')}) return writeAny(value);
      return ${parts.join(' +\n        ')} + '}';`);
  }

  /**
   * A property with its name. What can be known beforehand is one text: null, flags, the values of an
   * enumeration; and the last short text of each property, since rows have many in common.
   */
  private member(label: string, shape: Shape, variable: string): string {
    const literal = (text: string): string => JSON.stringify(label + text);
    const choices = this.choicesOf(shape).map(
      (choice) => `${variable} === ${choice} ? ${literal(choice)} : `,
    );
    const writer = this.writerOf(shape);
    const isText = writer === 'writeText' && withoutNull(shape).enum === undefined;
    const other = isText
      ? this.remembered(label, variable)
      : `${JSON.stringify(label)} + ${writer}(${variable})`;
    return `(${choices.join('')}${other})`;
  }

  private choicesOf(shape: Shape): string[] {
    const { type, enum: values = [] } = withoutNull(shape);
    const texts = values.filter((value) => typeof value === 'string').slice(0, MOST_CHOICES);
    return [
      ...(shape.anyOf === undefined ? [] : ['null']),
      ...(type === 'boolean' ? ['true', 'false'] : []),
      ...texts.map((text) => JSON.stringify(text)),
    ];
  }

  private remembered(label: string, variable: string): string {
    const at = this.count + 1;
    const write = this.add(`
      const text = ${JSON.stringify(label)} + writeText(value);
      if (typeof value === 'string' && value.length <= ${LONGEST_REMEMBERED}) {
        last${at} = value;
        text${at} = text;
      }
      return text;`);
    this.source += `let last${at}, text${at};\n`;
    return `(${variable} === last${at} ? text${at} : ${write}(${variable}))`;
  }

  private add(body: string): string {
    this.count += 1;
    const name = `write${this.count}`;
    this.source += `function ${name}(value) {${body}\n}\n`;
    return name;
  }
}

/** Every writer knows null; of other choices none is likelier. */
function withoutNull(shape: Shape): Shape {
  if (shape.anyOf === undefined) return shape;
  const others = shape.anyOf.filter(({ type }) => type !== 'null');
  return others.length === 1 ? withoutNull(others[0] as Shape) : {};
}
