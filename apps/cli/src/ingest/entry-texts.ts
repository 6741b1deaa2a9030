/**
 * A text in pieces of at most `maxBytes` of UTF-8, cut at the last paragraph, line or word that
 * fits. NUL is dropped, which PostgreSQL cannot store.
 */
export function storableTexts(text: string, maxBytes: number): string[] {
  const pieces: string[] = [];
  let rest = text.replaceAll('\0', '').trim();
  while (Buffer.byteLength(rest) > maxBytes) {
    const fitting = fittingPrefix(rest, maxBytes);
    const cuts = BOUNDARIES.map((boundary) => fitting.lastIndexOf(boundary));
    // A cut in the first half would leave a stub: then the next weaker boundary is better.
    const end = cuts.find((cut) => cut > fitting.length / 2) ?? fitting.length;
    pieces.push(rest.slice(0, end).trim());
    rest = rest.slice(end).trim();
  }
  return [...pieces, rest].filter((piece) => piece !== '');
}

const BOUNDARIES = ['\n\n', '\n', ' '];

function fittingPrefix(text: string, maxBytes: number): string {
  // Decoding with `stream` leaves out a character that the cut has torn.
  const bytes = new TextEncoder().encode(text.slice(0, maxBytes)).subarray(0, maxBytes);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true });
}

/** The first characters of a text; a surrogate pair is not torn. */
export function shortened(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(/[\ud800-\udbff]$/, '');
}
