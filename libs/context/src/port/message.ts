import type { Message, Role } from './context-port.js';
import type { StoreEntry } from './store-entry.js';

export type EntryMetadata = Readonly<Record<string, unknown>>;

/** How entries are told; each part has a default. */
export interface MessageResolvers {
  /** Default: the metadata's role, else its type if that is user or assistant, else system. */
  readonly resolveRole?: ((metadata: EntryMetadata) => Role) | undefined;
  /** Default: the metadata's displayName, name or id, else `Unknown`. */
  readonly resolveName?: ((metadata: EntryMetadata) => string) | undefined;
  /** Default: ISO 8601. */
  readonly formatTime?: ((epochMs: number) => string) | undefined;
}

const ROLES: readonly Role[] = ['system', 'user', 'assistant'];

/**
 * The message of an entry: `NAME said (TIME): text`, or `thought` for a thought (type `thought`,
 * or `isThought`). What the assistant said itself stands bare. An entry of type `image`, whose
 * text is the image, or with `images`, becomes its caption or `NAME shared an image`, with the
 * images beside it.
 */
export function toMessage(
  { text, occurredAt, metadata }: StoreEntry & { text: string; metadata: EntryMetadata },
  resolvers: MessageResolvers,
): Message {
  const role = (resolvers.resolveRole ?? defaultRole)(metadata);
  const nameOf = resolvers.resolveName ?? defaultName;
  const formatTime = resolvers.formatTime ?? defaultTime;
  const images = imagesOf(metadata);
  const isImage = metadata['type'] === 'image';
  if (isImage || images.length > 0) {
    const caption = captionOf(metadata) ?? (isImage && images.length === 0 ? undefined : text);
    return {
      role,
      content: caption ?? `${nameOf(metadata)} shared an image`,
      images: images.length > 0 ? images : [text],
    };
  }
  const isThought = metadata['type'] === 'thought' || metadata['isThought'] === true;
  if (role === 'assistant' && !isThought) return { role, content: text };
  const verb = isThought ? 'thought' : 'said';
  return {
    role,
    content: `${nameOf(metadata)} ${verb} (${formatTime(occurredAt.getTime())}): ${text}`,
  };
}

function defaultRole({ role, type }: EntryMetadata): Role {
  return (
    ROLES.find((known) => known === role) ??
    (type === 'user' || type === 'assistant' ? type : 'system')
  );
}

function defaultName({ displayName, name, id }: EntryMetadata): string {
  for (const candidate of [displayName, name, id]) {
    if (typeof candidate === 'string' && candidate !== '') return candidate;
    if (typeof candidate === 'number') return String(candidate);
  }
  return 'Unknown';
}

function defaultTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function imagesOf({ images }: EntryMetadata): string[] {
  return Array.isArray(images) ? images.filter((image) => typeof image === 'string') : [];
}

function captionOf({ caption }: EntryMetadata): string | undefined {
  return typeof caption === 'string' && caption !== '' ? caption : undefined;
}
