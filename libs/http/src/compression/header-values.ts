/** The names of a `Vary` header with one more. */
export function varyWith(present: string | undefined, name: string): string {
  if (present === undefined || present === '') return name;
  const names = new Set(present.split(',').map((one) => one.trim().toLowerCase()));
  return names.has(name) || names.has('*') ? present : `${present}, ${name}`;
}

/** The entity tag of the same content in another coding: as good as, but not byte for byte. */
export function weakTag(etag: string): string {
  return etag.startsWith('W/') ? etag : `W/${etag}`;
}
