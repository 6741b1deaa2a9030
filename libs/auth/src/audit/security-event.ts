/** How it ended. `refused`: it was not even tried, for want of a permission or after too many failures. */
export type SecurityOutcome = 'succeeded' | 'failed' | 'refused';

/** What an event was about: a role, a session, an API key. */
export interface SecurityTarget {
  /** In kebab case. */
  readonly kind: string;
  readonly id: string;
}

/**
 * Something that matters to security. Who asked, from where and in which request is added from the
 * request at hand.
 */
export interface SecurityEvent {
  /** In kebab case, such as `role-created`. */
  readonly type: string;
  /** Default: succeeded. */
  readonly outcome?: SecurityOutcome;
  /** Who did it, where it is not the caller of the request at hand. */
  readonly actorId?: string | undefined;
  /** Whose account it concerns. Default: the actor's. */
  readonly userId?: string | undefined;
  /** Default: the organization of the account, else of the actor. */
  readonly organizationId?: string | undefined;
  readonly target?: SecurityTarget | undefined;
  /** Never a secret: fields whose names say that they are get masked. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An event as it is stored. */
export interface SecurityRecord {
  readonly id: string;
  readonly occurredAt: Date;
  readonly type: string;
  readonly outcome: SecurityOutcome;
  readonly actorId: string | null;
  readonly userId: string | null;
  readonly organizationId: string | null;
  readonly targetKind: string | null;
  readonly targetId: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
  /** How often it happened; more than one for failures alike within a moment. */
  readonly occurrences: number;
  readonly details: Readonly<Record<string, unknown>>;
}
