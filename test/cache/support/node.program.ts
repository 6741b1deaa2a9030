import { setTimeout as sleep } from 'node:timers/promises';
import { connectNode, type NodeSettings } from './connect-node.js';
import { runInterleavings } from './interleavings.js';

/** What the test asks of a node. */
export type Command =
  | {
      readonly kind: 'interleave';
      readonly reads: number;
      readonly seed: number;
      readonly nodes: number;
    }
  | {
      readonly kind: 'miss';
      readonly callers: number;
      readonly key: string;
      readonly loadMs: number;
    }
  | { readonly kind: 'get'; readonly key: string };

/** One process of a cluster, steered over the channel to its parent. */
const settings = JSON.parse(process.env['CACHE_NODE'] ?? '') as NodeSettings;
const node = await connectNode(settings);

async function run(command: Command): Promise<unknown> {
  if (command.kind === 'interleave') return runInterleavings(node, settings.index, command);
  const cache = node.hub.cache<string>('misses', { lease: true, ttlMs: 60_000 });
  if (command.kind === 'get') return cache.get(command.key);
  const load = async (): Promise<string> => {
    await node.redis.incr(`${settings.prefix}loads:${command.key}`);
    await sleep(command.loadMs);
    return `by ${settings.index}`;
  };
  const reads = Array.from({ length: command.callers }, () => cache.getOrSet(command.key, load));
  return [...new Set(await Promise.all(reads))];
}

process.on('message', (command: Command) => {
  run(command).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.({ result: 'ready' });
