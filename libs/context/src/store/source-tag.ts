/**
 * The term that stands in the full-text index for a source, so that one GIN index answers "these
 * words in this source". No word begins with `@`.
 */
export function sourceTag(sourceId: string): string {
  return `@${Buffer.from(sourceId.replaceAll('-', ''), 'hex').toString('base64url')}`;
}
