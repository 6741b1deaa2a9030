import { eventChannel } from '#libs/core';
import { currentContext, type RequestContext } from '#libs/logging';
import {
  type StatementCall,
  type StatementEnd,
  StatementObserver,
} from '../statements/statement-observer.js';

/** A query that was sent once for each row of an earlier result. */
export interface NPlusOne {
  readonly route: string | null;
  readonly requestId: string;
  /** The query that came again and again. */
  readonly query: string;
  readonly times: number;
  /** The one whose rows it followed. */
  readonly source: string;
  /** Where in the code, as far as the stack tells. */
  readonly site: string;
  /** The column of the source and of the query that belong together. */
  readonly relation: string;
  readonly advice: string;
}

/** Published at the end of the first run of a request in which it is seen; once a query and site. */
export const nPlusOnes = eventChannel<NPlusOne>('pantheon.persistence.n-plus-one');

/** So often the same query, from the same place, fed by one result, is no accident. */
const TIMES = 5;
/** Results of a request that are kept to compare with, and rows of each that are looked at. */
const MAX_RESULTS = 8;
const MAX_ROWS = 200;
const MAX_TEXTS = 200;

interface Result {
  readonly text: string;
  readonly rows: readonly unknown[];
  /** Which column has a value; made when the first query repeats. */
  columns: Map<unknown, string> | undefined;
}

interface Repeated {
  count: number;
  /** Executions of which a parameter came from a result, by result. */
  readonly fed: Map<Result, { times: number; column: string; parameter: number }>;
  sites: Map<string, number>;
  isReported: boolean;
}

interface Request {
  readonly results: Result[];
  readonly texts: Map<string, Repeated>;
}

/**
 * Finds loops that query row by row. In the statements of one request it looks for the same text,
 * sent from the same place, with a parameter that an earlier result gave. A stack trace is taken
 * only of texts that repeat, so that a request without such a loop pays for a look-up in a map.
 */
export class NPlusOneDetector extends StatementObserver {
  private readonly requests = new WeakMap<RequestContext, Request>();

  /** @param share part of all requests that are watched, 0 to 1 */
  constructor(
    private readonly share: () => number,
    private readonly random: () => number = Math.random,
  ) {
    super();
  }

  started({ text, values }: StatementCall): StatementEnd | undefined {
    const context = currentContext();
    if (context === undefined) return undefined;
    const request = this.requestOf(context);
    if (request === undefined) return undefined;
    let repeated = request.texts.get(text);
    if (repeated === undefined) {
      if (request.texts.size >= MAX_TEXTS) return undefined;
      repeated = { count: 0, fed: new Map(), sites: new Map(), isReported: false };
      request.texts.set(text, repeated);
    }
    repeated.count += 1;
    if (repeated.count > 1 && !repeated.isReported) {
      this.examine(context, request, text, values, repeated);
    }
    if (request.results.length >= MAX_RESULTS || repeated.count > 1) return undefined;
    return ({ rows }) => {
      if (rows.length > 1 && request.results.length < MAX_RESULTS) {
        request.results.push({ text, rows: rows.slice(0, MAX_ROWS), columns: undefined });
      }
    };
  }

  private requestOf(context: RequestContext): Request | undefined {
    const known = this.requests.get(context);
    if (known !== undefined) return known.texts === NONE.texts ? undefined : known;
    const request = this.random() < this.share() ? { results: [], texts: new Map() } : NONE;
    this.requests.set(context, request);
    return request === NONE ? undefined : request;
  }

  private examine(
    context: RequestContext,
    request: Request,
    text: string,
    values: readonly unknown[],
    repeated: Repeated,
  ): void {
    for (const result of request.results) {
      if (result.text === text) continue;
      result.columns ??= columnsOf(result.rows);
      for (const [index, value] of values.entries()) {
        const column = result.columns.get(value);
        if (column === undefined) continue;
        const fed = repeated.fed.get(result) ?? { times: 0, column, parameter: index + 1 };
        fed.times += 1;
        repeated.fed.set(result, fed);
        const site = callSite();
        const here = (repeated.sites.get(site) ?? 0) + 1;
        repeated.sites.set(site, here);
        // The first execution was before anything could be known of it.
        if (fed.times < TIMES - 1 || here < TIMES - 1) return;
        repeated.isReported = true;
        const relation = relationOf(result, text, fed);
        nPlusOnes.publish(() => ({
          route: context.route ?? null,
          requestId: context.requestId,
          query: text,
          times: repeated.count,
          source: result.text,
          site,
          relation,
          advice: `Load ${relation} for all rows at once: join it, or ask with = ANY($1) and the list of ${fed.column}.`,
        }));
        return;
      }
    }
  }
}

/** Of requests that are not watched. */
const NONE: Request = { results: [], texts: new Map() };

/** Values by which rows are told apart: texts and numbers, not truth values or small counts. */
function columnsOf(rows: readonly unknown[]): Map<unknown, string> {
  const columns = new Map<unknown, string>();
  for (const row of rows) {
    if (typeof row !== 'object' || row === null) continue;
    for (const [column, value] of Object.entries(row)) {
      if (typeof value === 'string' ? value.length > 2 : typeof value === 'number') {
        if (!columns.has(value)) columns.set(value, column);
      }
    }
  }
  return columns;
}

function relationOf(
  result: Result,
  text: string,
  fed: { column: string; parameter: number },
): string {
  const compared = new RegExp(
    String.raw`("?[\w.]+"?)\s*=\s*(?:any\s*\()?\$${fed.parameter}\b`,
    'i',
  );
  const to = compared.exec(text)?.[1]?.replaceAll('"', '') ?? `$${fed.parameter}`;
  return `${tableOf(text)} (${to}) by ${tableOf(result.text)} (${fed.column})`;
}

function tableOf(text: string): string {
  return /\b(?:from|into|update)\s+([\w."]+)/i.exec(text)?.[1]?.replaceAll('"', '') ?? 'rows';
}

/** Frames of Node, of packages (by their classes too, for bundles hide their folders), and ours. */
const OTHERS =
  /node_modules|node:internal|\(<anonymous>\)|QueryRunner\.|QueryBuilder\.|EntityManager\.|DataSource\.|Repository\.|libs[\\/]persistence[\\/]src[\\/](?:statements|queries|pool)|(?:PlatformClient|NPlusOneDetector)\./;

/** The first frame that is neither ours nor of a package. */
function callSite(): string {
  const holder = { stack: '' };
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 30;
  Error.captureStackTrace(holder, callSite);
  Error.stackTraceLimit = stackTraceLimit;
  const frames = holder.stack.split('\n').slice(1);
  const own = frames.find((frame) => !OTHERS.test(frame));
  return (own ?? frames[0] ?? 'unknown').trim().replace(/^at /, '');
}
