/**
 * Something that turns texts into vectors whose cosine says how near their meanings are, such as
 * a service over HTTP. It is an extra: searches and index writes go on without it.
 */
export abstract class EmbeddingProvider {
  /**
   * A vector a text, in their order, a signed byte per dimension.
   * @throws when the provider does not answer, or is resting after it did not
   */
  abstract embed(texts: readonly string[]): Promise<Uint8Array[]>;
}

/** Scales a vector to its largest component and keeps a signed byte per dimension. */
export function quantise(vector: readonly number[]): Uint8Array {
  const largest = vector.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const scale = largest === 0 ? 0 : 127 / largest;
  const packed = Int8Array.from(vector, (value) => Math.round(value * scale));
  return new Uint8Array(packed.buffer);
}

/** Cosine of two quantised vectors, -1 to 1; 0 when they do not compare. */
export function cosine(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return 0;
  const left = new Int8Array(a.buffer, a.byteOffset, a.length);
  const right = new Int8Array(b.buffer, b.byteOffset, b.length);
  let product = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (let at = 0; at < left.length; at += 1) {
    const x = left[at] ?? 0;
    const y = right[at] ?? 0;
    product += x * y;
    leftSquares += x * x;
    rightSquares += y * y;
  }
  return leftSquares === 0 || rightSquares === 0
    ? 0
    : product / Math.sqrt(leftSquares * rightSquares);
}
