/** Codings that answers are compressed with, the preferred one first. */
export const CONTENT_CODINGS = ['br', 'gzip', 'deflate'] as const;

export type ContentCoding = (typeof CONTENT_CODINGS)[number];

const KEPT_HEADERS = 64;
const LONGEST_KEPT = 200;
const known = new Map<string, ContentCoding | undefined>();

/**
 * The coding that a client wants most of those that there are (RFC 9110, 12.5.3); undefined when it
 * names none, or likes the bytes as they are better. Clients send few different headers, so what was
 * made of each is kept.
 */
export function codingFor(acceptEncoding: string | undefined): ContentCoding | undefined {
  if (acceptEncoding === undefined) return undefined;
  const before = known.get(acceptEncoding);
  if (before !== undefined || known.has(acceptEncoding)) return before;
  const coding = negotiate(acceptEncoding);
  if (acceptEncoding.length <= LONGEST_KEPT) {
    if (known.size >= KEPT_HEADERS) known.clear();
    known.set(acceptEncoding, coding);
  }
  return coding;
}

function negotiate(acceptEncoding: string): ContentCoding | undefined {
  const weights = new Map<string, number>();
  for (const part of acceptEncoding.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    weights.set(name === 'x-gzip' ? 'gzip' : name, weightOf(parameters));
  }
  const others = weights.get('*') ?? 0;
  let best: ContentCoding | undefined;
  let bestWeight = 0;
  for (const coding of CONTENT_CODINGS) {
    const weight = weights.get(coding) ?? others;
    if (weight > bestWeight) {
      best = coding;
      bestWeight = weight;
    }
  }
  return (weights.get('identity') ?? 0) > bestWeight ? undefined : best;
}

/** What is no number counts as a refusal. */
function weightOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  if (given === undefined) return 1;
  const weight = Number(given.slice(2));
  return weight >= 0 && weight <= 1 ? weight : 0;
}
