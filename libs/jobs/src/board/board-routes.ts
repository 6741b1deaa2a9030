interface Routed {
  readonly method: string | readonly string[];
  readonly route: string | readonly string[];
}

interface Compiled<Route> {
  readonly route: Route;
  readonly methods: ReadonlySet<string>;
  readonly segments: readonly string[];
}

export interface FoundRoute<Route> {
  readonly route: Route;
  readonly params: Record<string, string>;
}

/** Finds the route of a path such as `/api/queues/:queueName`; a word wins over a parameter. */
export class BoardRoutes<Route extends Routed> {
  private readonly compiled: Compiled<Route>[] = [];

  add(route: Route): void {
    const methods = new Set([route.method].flat().map((method) => method.toUpperCase()));
    for (const path of [route.route].flat()) {
      this.compiled.push({ route, methods, segments: segmentsOf(path) });
    }
    this.compiled.sort((a, b) => compare(a.segments, b.segments));
  }

  find(method: string, path: string): FoundRoute<Route> | undefined {
    const segments = segmentsOf(path);
    for (const { route, methods, segments: pattern } of this.compiled) {
      if (!methods.has(method) || pattern.length !== segments.length) continue;
      const params = match(pattern, segments);
      if (params !== undefined) return { route, params };
    }
    return undefined;
  }
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function match(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [i, part] of pattern.entries()) {
    const segment = decoded(segments[i] ?? '');
    if (segment === undefined) return undefined;
    if (part.startsWith(':')) params[part.slice(1)] = segment;
    else if (part !== segment) return undefined;
  }
  return params;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** Where two patterns differ first, a word comes before a parameter. */
function compare(a: readonly string[], b: readonly string[]): number {
  for (const [i, part] of a.entries()) {
    const order = Number(part.startsWith(':')) - Number((b[i] ?? '').startsWith(':'));
    if (order !== 0) return order;
  }
  return 0;
}
