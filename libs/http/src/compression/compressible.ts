const TEXTUAL =
  /^(?:text\/(?!event-stream)|application\/(?:json|javascript|xml|x-ndjson|wasm|[\w.+-]+\+(?:json|xml))|image\/svg\+xml)/;

const KEPT_TYPES = 256;
const known = new Map<string, boolean>();

/**
 * Whether content of a media type is worth compressing: text in all its forms. Images, archives and
 * the like are compressed already; events must not wait for each other.
 */
export function isCompressible(contentType: string): boolean {
  let answer = known.get(contentType);
  if (answer === undefined) {
    answer = TEXTUAL.test(contentType.toLowerCase());
    if (known.size >= KEPT_TYPES) known.clear();
    known.set(contentType, answer);
  }
  return answer;
}
