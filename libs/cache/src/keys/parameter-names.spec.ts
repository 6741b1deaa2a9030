import { describe, expect, it } from '@jest/globals';
import { parameterNames, parameterNamesIn } from './parameter-names.js';

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

describe('parameterNames', () => {
  it('reads the names of parameters from the source of a method', () => {
    const { prototype } = Methods;
    expect(parameterNames(prototype.none)).toEqual([]);
    expect(parameterNames(prototype.one)).toEqual(['id']);
    expect(parameterNames(prototype.several)).toEqual(['id', 'page', 'rest']);
    expect(parameterNames(prototype.defaults)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(parameterNames(prototype.patterns)).toEqual([undefined, undefined, 'last']);
    expect(parameterNames(prototype['computed(x)'])).toEqual(['id']);
    expect(parameterNames(prototype.größe)).toEqual(['längeMm', '$unit']);
  });

  it('passes over comments', () => {
    const source = 'async get(/* a, (b) */ id, // the, page\n page /* ) */ = 1) { return 1; }';
    expect(parameterNamesIn(source)).toEqual(['id', 'page']);
  });
});
