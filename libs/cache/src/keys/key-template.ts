import { keyPart } from './key-text.js';

/** A slot of a template: the name of a root, or the position of an argument, and a path below. */
export interface TemplateSlot {
  /** As it stands in the template, without braces. */
  readonly source: string;
  readonly root: string;
  readonly path: readonly string[];
  /** The character that follows; the value must not contain it unescaped. */
  readonly separator: string;
}

/** A template taken apart: `texts` has one member more than `slots`. */
export interface KeyTemplate {
  readonly source: string;
  readonly texts: readonly string[];
  readonly slots: readonly TemplateSlot[];
}

const SLOT = /\{([^{}]*)\}/g;
const PATH = /^(?:[\p{L}_$][\p{L}\p{N}_$]*|\d+)(?:\.(?:[\p{L}_$][\p{L}\p{N}_$-]*|\d+))*$/u;

/** Takes a template apart; a text says what is wrong with it. */
export function parseTemplate(source: string): KeyTemplate | string {
  const texts: string[] = [];
  const found: { readonly source: string; readonly path: string[] }[] = [];
  let end = 0;
  for (const match of source.matchAll(SLOT)) {
    const [whole, inner = ''] = match;
    if (!PATH.test(inner)) return `{${inner}} is no name: write {id}, {order.id} or {0.id}`;
    texts.push(source.slice(end, match.index));
    found.push({ source: inner, path: inner.split('.') });
    end = match.index + whole.length;
  }
  texts.push(source.slice(end));
  const odd = texts.find((text) => /[{}%]/.test(text));
  if (odd !== undefined) return 'it has a "{", "}" or "%" that belongs to no slot';
  if (texts.slice(1, -1).includes('')) {
    return 'two slots touch: put a character between them, so that their values stay apart';
  }
  if (source === '') return 'it is empty';
  const slots = found.map(({ source: inner, path }, index) => ({
    source: inner,
    root: path[0] as string,
    path: path.slice(1),
    separator: firstCharacter(texts[index + 1] as string) ?? ':',
  }));
  return { source, texts, slots };
}

function firstCharacter(text: string): string | undefined {
  const codePoint = text.codePointAt(0);
  return codePoint === undefined ? undefined : String.fromCodePoint(codePoint);
}

/** Reads the value of a slot from a call. */
export type SlotReader<Call> = (call: Call) => unknown;

/** Makes a function that fills a template in. `readers` are those of its slots, in order. */
export function fillTemplate<Call>(
  { texts, slots }: KeyTemplate,
  readers: readonly SlotReader<Call>[],
): (call: Call) => string {
  const [first = ''] = texts;
  return (call) => {
    let text = first;
    for (let index = 0; index < readers.length; index += 1) {
      const value = (readers[index] as SlotReader<Call>)(call);
      const { separator, source } = slots[index] as TemplateSlot;
      text += keyPart(value, separator, `{${source}}`) + texts[index + 1];
    }
    return text;
  };
}

/** The value at the end of a path; undefined where it does not lead. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (at === null || at === undefined) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}
