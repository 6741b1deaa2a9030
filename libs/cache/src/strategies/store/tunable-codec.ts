import type { CacheEntry } from '../../entry/cache-entry.js';
import type { CodecCounts } from '../../entry/codec-counts.js';
import { EntryCodec, type EntryCodecOptions } from '../../entry/entry-codec.js';

/** A codec whose threshold of compression can be changed while it is in use. */
export class TunableCodec extends EntryCodec {
  private current: EntryCodec;
  private before: readonly CodecCounts[] = [];

  constructor(private readonly base: EntryCodecOptions) {
    super(base);
    this.current = new EntryCodec(base);
  }

  /** Null compresses nothing. */
  compressFrom(bytes: number | null): void {
    this.before = [this.counts];
    const compressFromBytes = bytes ?? Number.POSITIVE_INFINITY;
    this.current = new EntryCodec({ ...this.base, compressFromBytes });
  }

  /** Levels that ask for a codec of their own share this one. */
  override counting(): EntryCodec {
    return this;
  }

  override get counts(): CodecCounts {
    return [...this.before, this.current.counts].reduce(added);
  }

  override encode(key: string, entry: CacheEntry): Buffer | Promise<Buffer> {
    return this.current.encode(key, entry);
  }

  override decode(key: string, bytes: Buffer): CacheEntry | Promise<CacheEntry> {
    return this.current.decode(key, bytes);
  }
}

function added(a: CodecCounts, b: CodecCounts): CodecCounts {
  const sum: Record<string, number> = {};
  for (const name of Object.keys(a) as (keyof CodecCounts)[]) sum[name] = a[name] + b[name];
  return sum as unknown as CodecCounts;
}
