import { AccessEventEntity } from './access-event.entity.js';
import { ContextEntryEntity } from './context-entry.entity.js';
import { ContextSourceEntity } from './context-source.entity.js';
import { EntryIndexEntity } from './entry-index.entity.js';
import { MemoryPreloadEntity } from './memory-preload.entity.js';

/** The entities of this lib, for the data source. */
export const contextEntities = [
  ContextSourceEntity,
  ContextEntryEntity,
  EntryIndexEntity,
  AccessEventEntity,
  MemoryPreloadEntity,
] as const;
