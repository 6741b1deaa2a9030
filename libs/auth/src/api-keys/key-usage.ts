/** Uses of one text of a key that are not written yet. */
export class KeyUsage {
  count = 0;
  lastUsedMs = 0;
  /** Of the first of these uses: an address is not worth reading for each. */
  address: string | undefined;
  /** Whether it stands in the list of those to be written. */
  isListed = false;

  constructor(readonly lookupId: string) {}
}
