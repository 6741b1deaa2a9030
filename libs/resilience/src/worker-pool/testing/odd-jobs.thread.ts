/** What a test has threads do. */
export type OddJob =
  | { readonly kind: 'compute'; readonly ms: number; readonly buffer?: ArrayBuffer }
  | { readonly kind: 'throw' | 'exit' | 'swell' | 'uncloneable' }
  | { readonly kind: 'double'; readonly buffer: ArrayBuffer };

export function run(job: OddJob): unknown {
  switch (job.kind) {
    case 'compute': {
      const end = performance.now() + job.ms;
      while (performance.now() < end) Math.sqrt(end);
      return job.ms;
    }
    case 'throw':
      throw new RangeError('too far');
    case 'exit':
      return process.exit(3);
    case 'swell': {
      const held: unknown[] = [];
      for (;;) held.push(Array.from({ length: 100_000 }, () => ({})));
    }
    case 'uncloneable':
      return () => 'a function';
    case 'double':
      return Uint8Array.from(new Uint8Array(job.buffer), (byte) => byte * 2).buffer;
    default:
      return job satisfies never;
  }
}

export function transferOf(output: unknown): ArrayBuffer[] {
  return output instanceof ArrayBuffer ? [output] : [];
}
