import { Backplane, type BackplaneEvents } from './backplane.js';

/** Where the memory backplanes of one process meet. */
export class MemoryBus {
  readonly nodes = new Map<string, BackplaneEvents>();
  /** Nodes that nothing reaches until they connect anew. */
  readonly deaf = new Set<string>();
  /** Messages for which it returns true are lost. */
  loses: (text: string) => boolean = () => false;

  /** Delivers in order, and not before the sender goes on. */
  deliver(nodeId: string, text: string): void {
    if (this.loses(text) || this.deaf.has(nodeId)) return;
    setImmediate(() => this.nodes.get(nodeId)?.onMessage(text));
  }
}

/** Connects hubs of one process, for tests. */
export class MemoryBackplane extends Backplane {
  readonly name = 'memory-backplane';
  readonly maxMessageBytes = 1_000;
  private nodeId = '';

  constructor(private readonly bus: MemoryBus) {
    super();
  }

  start(nodeId: string, events: BackplaneEvents): Promise<void> {
    this.nodeId = nodeId;
    this.bus.nodes.set(nodeId, events);
    events.onState(true);
    return Promise.resolve();
  }

  publish(text: string): Promise<number> {
    for (const nodeId of this.bus.nodes.keys()) this.bus.deliver(nodeId, text);
    return Promise.resolve(this.bus.nodes.size);
  }

  reply(nodeId: string, text: string): Promise<void> {
    this.bus.deliver(nodeId, text);
    return Promise.resolve();
  }

  reconnect(): void {
    this.bus.deaf.delete(this.nodeId);
  }

  close(): Promise<void> {
    this.bus.nodes.delete(this.nodeId);
    return Promise.resolve();
  }
}
