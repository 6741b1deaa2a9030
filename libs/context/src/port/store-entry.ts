/** An entry as a store manager hands it out. */
export interface StoreEntry {
  readonly id: string;
  readonly text: string | null;
  readonly occurredAt: Date;
  /**
   * What is known of the entry. `role`, `type`, `displayName`, `name`, `id`, `images` and
   * `caption` shape its message; entries without metadata are not compiled.
   */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** 0 to 5; 5 is "flagged as important". Default 0. */
  readonly importance?: number;
  readonly pinned?: boolean;
  readonly rating?: number | null;
  /** Times it was handed out in the last hour. */
  readonly recentAccesses?: number;
  /** Hashed features of the text (ranking/features.ts); made from the text when missing. */
  readonly features?: Uint8Array | null;
  /** Vector of an embedding service, a signed byte per dimension. */
  readonly dense?: Uint8Array | null;
}

/** What a writer gives to store an entry. Absent means unknown. */
export interface NewEntry {
  readonly text: string;
  readonly role?: 'system' | 'user' | 'assistant';
  readonly author?: string;
  /** What kind of utterance it is: `user`, `assistant`, `thought`, `image`, `section`, … */
  readonly type?: string;
  /** ISO 8601 with offset, or a Date. Default: now. */
  readonly occurredAt?: string | Date;
  /** `true` is 5. Default 0. */
  readonly importance?: number | boolean;
  readonly pinned?: boolean;
  readonly rating?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /**
   * The writer's own key, unique in its source: writing the same key again updates the entry, or
   * does nothing when nothing changed.
   */
  readonly externalKey?: string;
}
