import type { Clock } from '#libs/core';

/** Silent nodes are forgotten after so many heartbeats. */
const FORGET_AFTER_HEARTBEATS = 60;

interface Peer {
  seq: number;
  seenAtMs: number;
}

/** The last number of each other node, to notice that one is missing. */
export class PeerSequences {
  private readonly peers = new Map<string, Peer>();

  constructor(
    private readonly clock: Clock,
    private readonly heartbeatMs: number,
  ) {}

  /** After a reconnect: what the others did meanwhile is unknown anyway. */
  clear(): void {
    this.peers.clear();
  }

  /**
   * Whether nothing is missing before the number. A heartbeat repeats the number of the last message.
   * A node that is met at a later number than its first counts as one of which something is missing:
   * that happens once for each node that was there before, when the first level is empty anyway.
   */
  follows(id: string, seq: number, isHeartbeat: boolean): boolean {
    const nowMs = this.clock.monotonicMs();
    const peer = this.peers.get(id);
    if (peer === undefined) {
      this.forgetSilent(nowMs);
      this.peers.set(id, { seq, seenAtMs: nowMs });
      return seq <= (isHeartbeat ? 0 : 1);
    }
    peer.seenAtMs = nowMs;
    const follows = seq === (isHeartbeat ? peer.seq : peer.seq + 1);
    peer.seq = seq;
    return follows;
  }

  private forgetSilent(nowMs: number): void {
    for (const [id, { seenAtMs }] of this.peers) {
      if (nowMs - seenAtMs > this.heartbeatMs * FORGET_AFTER_HEARTBEATS) this.peers.delete(id);
    }
  }
}
