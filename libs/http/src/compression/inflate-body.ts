import { finished, pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import * as zlib from 'node:zlib';
import { PantheonError } from '#libs/core';

/** Codings that a body of a request may have, for `Accept-Encoding` of a 415. */
export const ACCEPTED_CODINGS = 'gzip, deflate, br';

export interface InflationLimits {
  /** Decoded bytes at most; `Infinity` for a body that somebody else bounds as it arrives. */
  readonly maxBytes: number;
  /** Most decoded bytes for each byte that was sent, from `ratioFromBytes` on. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
}

/** A decoded body. Fastify compares `receivedEncodedLength` with the length that was announced. */
export interface InflatedBody extends Readable {
  readonly receivedEncodedLength: number;
}

/**
 * Decodes the body of a request as it arrives, and ends in an error as soon as it grows beyond its
 * limits, however little of it was sent: a bomb costs no memory. Nobody reads what is left of a body
 * that was given up, so it is thrown away, and the client can hear why.
 *
 * @throws PantheonError BODY_ENCODING_UNSUPPORTED
 */
export function inflateBody(
  source: Readable,
  contentEncoding: string,
  limits: InflationLimits,
): InflatedBody {
  const decoder = decoderOf(contentEncoding);
  const body = new BoundedBody(decoder, limits);
  source.pipe(decoder);
  const giveUp = (): void => {
    source.unpipe(decoder);
    source.resume();
  };
  pipeline(decoder, body, (error) => {
    if (error !== null && error !== undefined) giveUp();
  });
  finished(source, { writable: false }, (error) => {
    if (error !== null && error !== undefined) decoder.destroy(error);
  });
  return body;
}

/** Such as ERR__ERROR_FORMAT_PADDING_1. */
const BROTLI_ERROR = /^ERR_(?:_?ERROR|BROTLI)/;

type Decoder = Transform & { readonly bytesWritten: number };

/** Passes on what the decoder makes, and measures it. */
class BoundedBody extends Transform implements InflatedBody {
  private decodedBytes = 0;

  constructor(
    private readonly decoder: Decoder,
    private readonly limits: InflationLimits,
  ) {
    super();
  }

  get receivedEncodedLength(): number {
    return this.decoder.bytesWritten;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, callback: TransformCallback): void {
    this.decodedBytes += chunk.length;
    const { maxBytes, maxRatio, ratioFromBytes } = this.limits;
    if (this.decodedBytes > maxBytes) callback(tooLarge(maxBytes));
    else if (
      this.decodedBytes > ratioFromBytes &&
      this.decodedBytes > maxRatio * this.decoder.bytesWritten
    ) {
      callback(tooDense(maxRatio));
    } else callback(null, chunk);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error !== null && isOfDecoder(error) ? broken(error) : error);
  }
}

function decoderOf(contentEncoding: string): Decoder {
  switch (contentEncoding.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip();
    case 'deflate':
      return zlib.createInflate();
    case 'br':
      return zlib.createBrotliDecompress();
    default:
      throw new PantheonError(
        'BODY_ENCODING_UNSUPPORTED',
        `A body may be encoded as one of ${ACCEPTED_CODINGS}, once.`,
        { kind: 'unsupported' },
      );
  }
}

function tooLarge(maxBytes: number): PantheonError {
  return new PantheonError('BODY_TOO_LARGE', `The decoded body is larger than ${maxBytes} bytes.`, {
    kind: 'too-large',
  });
}

function tooDense(maxRatio: number): PantheonError {
  return new PantheonError(
    'BODY_INFLATES_TOO_FAR',
    `The decoded body is more than ${maxRatio} times as large as what was sent; send it as it is.`,
    { kind: 'too-large' },
  );
}

/** Not when the client went away, which is nobody's mistake. */
function isOfDecoder(error: Error & { readonly code?: unknown }): boolean {
  const { code } = error;
  if (typeof code !== 'string' || error instanceof PantheonError) return false;
  return code.startsWith('Z_') || BROTLI_ERROR.test(code);
}

function broken(cause: Error): PantheonError {
  return new PantheonError(
    'BODY_ENCODING_INVALID',
    'The body is not what its Content-Encoding says.',
    { kind: 'invalid', cause },
  );
}
