/** The part of a reply that a handler needs to set a header. */
export interface HeaderSetter {
  header(name: string, value: string): unknown;
}
