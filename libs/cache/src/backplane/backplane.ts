/** What a backplane tells its node. */
export interface BackplaneEvents {
  /** A message of any node, this one included, or an acknowledgement sent to this node. */
  onMessage(text: string): void;
  /** Whether messages can arrive at present. Some may have been lost before `true`. */
  onState(isConnected: boolean): void;
}

/**
 * Carries short texts to every node of a cache. It may lose messages while it is disconnected and
 * never reorders those of one node; who uses it numbers them (see `Coherence`).
 */
export abstract class Backplane {
  abstract readonly name: string;
  abstract readonly maxMessageBytes: number;

  /**
   * Resolves when messages arrive, or the first attempt has failed; it goes on trying, and says so
   * through `onState`. A node that hears is counted by every publication from then on.
   */
  abstract start(nodeId: string, events: BackplaneEvents): Promise<void>;

  /**
   * Sends to all. Resolves with the number of nodes that are expected to receive it, this one
   * included. Rejects when it cannot be sent.
   */
  abstract publish(text: string): Promise<number>;

  /** Sends to one node. */
  abstract reply(nodeId: string, text: string): Promise<void>;

  /** Listens over a new connection: the one at hand is open, and nothing comes over it. */
  abstract reconnect(): void;

  /** May be called twice. */
  abstract close(): Promise<void>;
}
