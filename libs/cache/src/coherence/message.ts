/** A key of a namespace was written or deleted, or a name has a new version. */
export type Invalidation =
  | { readonly kind: 'key'; readonly namespace: string; readonly key: string }
  | { readonly kind: 'version'; readonly name: string; readonly version: number };

/** What nodes send each other: never a value. */
export type Message =
  /** `seq` counts the messages with invalidations of the sender. */
  | {
      readonly type: 'invalidate';
      readonly from: string;
      readonly seq: number;
      readonly items: Invalidation[];
    }
  /** Tells the number of the last one, so that a loss at the end is noticed too. */
  | { readonly type: 'heartbeat'; readonly from: string; readonly seq: number }
  | { readonly type: 'ack'; readonly from: string; readonly seq: number };

type Wire =
  | ['i', string, number, (['k', string, string] | ['v', string, number])[]]
  | ['h' | 'a', string, number];

export function encodeMessage(message: Message): string {
  if (message.type !== 'invalidate') {
    return JSON.stringify([message.type === 'heartbeat' ? 'h' : 'a', message.from, message.seq]);
  }
  const items = message.items.map((item) =>
    item.kind === 'key' ? ['k', item.namespace, item.key] : ['v', item.name, item.version],
  );
  return JSON.stringify(['i', message.from, message.seq, items]);
}

/** Undefined for what no node of this version sends. */
export function decodeMessage(text: string): Message | undefined {
  let wire: Wire;
  try {
    wire = JSON.parse(text) as Wire;
  } catch {
    return undefined;
  }
  if (!Array.isArray(wire) || typeof wire[1] !== 'string' || typeof wire[2] !== 'number') {
    return undefined;
  }
  const [type, from, seq] = wire;
  if (type === 'h') return { type: 'heartbeat', from, seq };
  if (type === 'a') return { type: 'ack', from, seq };
  if (!Array.isArray(wire[3])) return undefined;
  const items = wire[3].map(([kind, first, second]): Invalidation =>
    kind === 'k'
      ? { kind: 'key', namespace: first, key: second }
      : { kind: 'version', name: first, version: second },
  );
  return { type: 'invalidate', from, seq, items };
}

/** Divides items so that no message is longer than the backplane allows. */
export function splitItems(items: readonly Invalidation[], maxBytes: number): Invalidation[][] {
  const parts: Invalidation[][] = [];
  let room = 0;
  for (const item of items) {
    const text = item.kind === 'key' ? item.namespace + item.key : item.name;
    // As long as JSON can make it, with quotes and a version.
    const bytes = Buffer.byteLength(JSON.stringify(text)) + 40;
    if (parts.length === 0 || bytes > room) {
      parts.push([]);
      room = maxBytes - 100;
    }
    parts.at(-1)?.push(item);
    room -= bytes;
  }
  return parts;
}
