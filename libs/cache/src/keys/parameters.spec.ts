import { describe, expect, it } from '@jest/globals';
import { parametersIn, parametersOf } from './parameters.js';

const namesOf = (method: (...args: never[]) => unknown) =>
  parametersOf(method).map(({ name }) => name);

class Methods {
  none(): void {}
  one(id: string): string {
    return id;
  }
  async several(id: string, page = 1, ...rest: string[]): Promise<unknown> {
    return [id, page, rest];
  }
  defaults(a = ')', b = `,(`, c = { d: [1, 2] }, d = (x: number) => x, e = "it's"): unknown {
    return [a, b, c, d, e];
  }
  patterns({ id, page }: { id: string; page: number }, [first]: string[], last: string): unknown {
    return [id, page, first, last];
  }
  ['computed(x)'](id: string): string {
    return id;
  }
  async größe(längeMm: number, $unit: string): Promise<unknown> {
    return [längeMm, $unit];
  }
}

describe('parametersOf', () => {
  it('reads the names of parameters from the source of a method', () => {
    const { prototype } = Methods;
    expect(namesOf(prototype.none)).toEqual([]);
    expect(namesOf(prototype.one)).toEqual(['id']);
    expect(namesOf(prototype.several)).toEqual(['id', 'page', 'rest']);
    expect(namesOf(prototype.defaults)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(namesOf(prototype.patterns)).toEqual([undefined, undefined, 'last']);
    expect(namesOf(prototype['computed(x)'])).toEqual(['id']);
    expect(namesOf(prototype.größe)).toEqual(['längeMm', '$unit']);
  });

  it('knows which one takes the rest', () => {
    expect(parametersOf(Methods.prototype.several).map(({ isRest }) => isRest)).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('passes over comments', () => {
    const source = 'async get(/* a, (b) */ id, // the, page\n page /* ) */ = 1) { return 1; }';
    expect(parametersIn(source).map(({ name }) => name)).toEqual(['id', 'page']);
  });
});
