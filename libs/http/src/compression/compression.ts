import type { Transform } from 'node:stream';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { isCompressible } from './compressible.js';
import { codingFor, type ContentCoding } from './content-coding.js';

export interface CompressionOptions {
  readonly enabled: boolean;
  /** A smaller answer is sent as it is. */
  readonly fromBytes: number;
  /** 1 to 9. */
  readonly gzipLevel: number;
  /** 1 to 11. */
  readonly brotliQuality: number;
  /** With so many under way the next answers are sent as they are; so many streams come beside them. */
  readonly maxConcurrent: number;
}

/** Bytes of bodies, before and after. */
export interface CompressionFigures {
  /** Bytes that compression took off what was sent. */
  readonly savedBytes: number;
  /** Bytes that streams have sent, whose length no header tells. */
  readonly streamedBytes: number;
  /** Answers by the coding that they were sent with. */
  readonly answers: Readonly<Record<ContentCoding, number>>;
  /** Answers that were sent as they are because too many were being compressed. */
  readonly skipped: number;
}

/** Of a larger body brotli takes less trouble, which costs a hundredth of what it saves. */
const LARGE_BYTES = 256 * 1024;
const LARGE_QUALITY = 3;
/** The window of brotli: 512 KiB, for as much memory again and twice that. */
const WINDOW_BITS = 19;
/** Below this gain the client would unpack for nothing. */
const WORTHWHILE = 0.95;

const gzip = promisify(zlib.gzip);
const deflate = promisify(zlib.deflate);
const brotli = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliCompress);

/**
 * Compresses answers: decides which and how, does it in the threads of libuv, and counts. Knows
 * nothing of requests, so that caches can keep what was compressed.
 */
export class Compression {
  private savedBytes = 0;
  private streamedBytes = 0;
  private skipped = 0;
  private running = 0;
  /** Counted apart: they last as long as their readers like, and those shall not slow others down. */
  private streaming = 0;
  private readonly answers: Record<ContentCoding, number> = { br: 0, gzip: 0, deflate: 0 };

  constructor(private readonly options: () => CompressionOptions) {}

  get figures(): CompressionFigures {
    const { savedBytes, streamedBytes, answers, skipped } = this;
    return { savedBytes, streamedBytes, answers: { ...answers }, skipped };
  }

  /** The coding for a client, by its `Accept-Encoding`. */
  codingFor(acceptEncoding: string | undefined): ContentCoding | undefined {
    return this.options().enabled ? codingFor(acceptEncoding) : undefined;
  }

  /** Whether a body of so many bytes is compressed for those who accept it. */
  isLargeEnough(bytes: number): boolean {
    return bytes >= this.options().fromBytes;
  }

  /** Whether a body is compressed for those who accept it: its answer varies by `Accept-Encoding`. */
  isNegotiated(contentType: string, bytes: number): boolean {
    return this.isLargeEnough(bytes) && isCompressible(contentType) && this.options().enabled;
  }

  /** Undefined when it is not worth it, or when too many are being compressed. */
  async compress(body: Buffer, coding: ContentCoding): Promise<Buffer | undefined> {
    const { maxConcurrent } = this.options();
    if (this.running >= maxConcurrent) {
      this.skipped += 1;
      return undefined;
    }
    this.running += 1;
    try {
      const packed = await this.pack(body, coding);
      return packed.length <= body.length * WORTHWHILE ? packed : undefined;
    } finally {
      this.running -= 1;
    }
  }

  /**
   * A stream that compresses what is written to it, and holds nothing back for later. Undefined when
   * too many are open; it has to be closed, however its use ends.
   */
  stream(coding: ContentCoding): Transform | undefined {
    if (this.streaming >= this.options().maxConcurrent) {
      this.skipped += 1;
      return undefined;
    }
    const stream = this.open(coding);
    this.streaming += 1;
    let sentBytes = 0;
    stream.on('data', (chunk: Buffer) => {
      sentBytes += chunk.length;
    });
    // It flows when its reader says so, not because it is counted.
    stream.pause();
    stream.once('close', () => {
      this.streaming -= 1;
      this.streamedBytes += sentBytes;
      this.sent(coding, stream.bytesWritten, sentBytes);
    });
    return stream;
  }

  /** Counts an answer that goes out compressed. */
  sent(coding: ContentCoding, rawBytes: number, sentBytes: number): void {
    this.answers[coding] += 1;
    this.savedBytes += rawBytes - sentBytes;
  }

  private pack(body: Buffer, coding: ContentCoding): Promise<Buffer> {
    const { gzipLevel: level } = this.options();
    switch (coding) {
      case 'br':
        return brotli(body, { params: this.brotliParameters(body.length) });
      case 'gzip':
        return gzip(body, { level });
      case 'deflate':
        return deflate(body, { level });
    }
  }

  private open(coding: ContentCoding): Transform & { readonly bytesWritten: number } {
    const { gzipLevel: level } = this.options();
    const { BROTLI_OPERATION_FLUSH, Z_SYNC_FLUSH } = zlib.constants;
    switch (coding) {
      case 'br':
        return zlib.createBrotliCompress({
          flush: BROTLI_OPERATION_FLUSH,
          params: this.brotliParameters(0),
        });
      case 'gzip':
        return zlib.createGzip({ level, flush: Z_SYNC_FLUSH });
      case 'deflate':
        return zlib.createDeflate({ level, flush: Z_SYNC_FLUSH });
    }
  }

  private brotliParameters(bytes: number): Record<number, number> {
    const { brotliQuality } = this.options();
    const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
    const isLarge = bytes > LARGE_BYTES;
    return {
      [BROTLI_PARAM_QUALITY]: isLarge ? Math.min(brotliQuality, LARGE_QUALITY) : brotliQuality,
      [BROTLI_PARAM_LGWIN]: WINDOW_BITS,
      [BROTLI_PARAM_SIZE_HINT]: bytes,
    };
  }
}
