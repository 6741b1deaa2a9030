/** Who speaks in a message. */
export type Role = 'system' | 'user' | 'assistant';

/** One message of a compiled context, in the form that chat models take. */
export interface Message {
  role: Role;
  content: string;
  images?: string[];
}

/** A source to compile from. */
export interface ContextSource {
  /** Name of its store manager. */
  readonly id: string;
  readonly label: string;
  /** Only entries that match: see `matchesWhere`. */
  readonly where?: Record<string, unknown>;
  readonly metadata?: Record<string, unknown>;
}

export interface CompileOptions {
  /** The caller's texts: what the context is for. All of them are used. */
  readonly texts?: readonly string[];
  readonly sources: readonly ContextSource[];
  /** Recent entries of each source. Default 10. */
  readonly recentLimit?: number;
  /** Texts to search with: the caller's, filled up with recent ones. Default 5. */
  readonly queryLimit?: number;
  /** Most messages in the result. Default 20. */
  readonly limit?: number;
}

/** Compiles what a set of sources holds about some texts into messages, oldest first. */
export interface ContextPort {
  compile(options: CompileOptions): Promise<Message[]>;
}
