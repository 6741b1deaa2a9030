import { eventChannel } from '#libs/core';

/** A source was configured anew or deleted, or its entries changed. */
export interface SourceChange {
  readonly sourceId: string;
  readonly change: 'configured' | 'deleted' | 'entries';
}

/** Published after the commit of each change of a source. */
export const sourceChanged = eventChannel<SourceChange>('pantheon.context.source-changed');

/** Something went wrong that a caller only sees as a poorer answer. */
export interface ContextWarning {
  readonly code: string;
  readonly message: string;
  readonly error?: unknown;
}

/** Published for each warning; the application logs them. */
export const contextWarnings = eventChannel<ContextWarning>('pantheon.context.warning');
