/** What an `EntryCodec` has written and read since it was made. */
export interface CodecCounts {
  /** Entries written. */
  readonly encoded: number;
  /** Those among them whose value was compressed. */
  readonly compressed: number;
  /** Bytes of their serialised values. */
  readonly rawBytes: number;
  /** Bytes that were written for them, with times, tags, versions and the seal. */
  readonly storedBytes: number;
  /** Entries read. */
  readonly decoded: number;
  /** Entries that could not be read: tampered with, cut off, or of a key that is not known here. */
  readonly undecodable: number;
}
