/** A longer body is not copied behind its headers but written beside them. */
const LONGEST_TEXT = 16_384;

/** Bytes in the form in which a response holds them: a short body as a character for each byte. */
export function storedBody(bytes: Buffer): string | Buffer {
  return bytes.length <= LONGEST_TEXT ? bytes.toString('latin1') : bytes;
}
