import { createRequire } from 'node:module';
import v8 from 'node:v8';

/** The forms in which values can be written; the name is stored with each entry. */
export type SerializerName = 'v8' | 'msgpackr' | 'json';

/** Turns a value into bytes and back. */
export interface Serializer {
  readonly name: SerializerName;
  encode(value: unknown): Buffer;
  decode(bytes: Buffer): unknown;
}

const v8Serializer: Serializer = {
  name: 'v8',
  encode: (value) => v8.serialize(value),
  decode: (bytes) => v8.deserialize(bytes) as unknown,
};

const jsonSerializer: Serializer = {
  name: 'json',
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(bytes.toString()) as unknown,
};

interface MsgpackPackr {
  pack(value: unknown): Buffer;
  unpack(bytes: Buffer): unknown;
}

/** 15 ms at its first use, so it is not loaded before. */
function lazyMsgpackr(): Serializer {
  let packr: MsgpackPackr | undefined;
  const get = (): MsgpackPackr => {
    if (packr === undefined) {
      const { Packr } = createRequire(import.meta.url)('msgpackr') as typeof import('msgpackr');
      packr = new Packr({ moreTypes: true, structuredClone: true });
    }
    return packr;
  };
  return {
    name: 'msgpackr',
    encode: (value) => get().pack(value),
    decode: (bytes) => get().unpack(bytes),
  };
}

const serializers: readonly Serializer[] = [v8Serializer, lazyMsgpackr(), jsonSerializer];

/**
 * The serialiser called `name`. `v8` keeps Map, Set, Date, BigInt, typed arrays and cycles;
 * `msgpackr` keeps the same in a fifth of the time, but leaves functions out where `v8` refuses them;
 * `json` can be read by other programs and keeps only
 * what JSON knows.
 */
export function serializerOf(name: SerializerName): Serializer {
  return serializers[serializerNumber(name)] as Serializer;
}

/** The number under which entries name their serialiser; it must never change. */
export function serializerNumber(name: SerializerName): number {
  return serializers.findIndex((serializer) => serializer.name === name);
}

/** Undefined for a number that no serialiser has. */
export function serializerByNumber(number: number): Serializer | undefined {
  return serializers[number];
}
