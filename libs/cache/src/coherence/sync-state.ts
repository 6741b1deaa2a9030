/**
 * Whether this process hears of every invalidation. `epoch` changes whenever it may have missed
 * one: entries of the first level that carry another epoch must be compared with a shared level
 * before they count as fresh again, and versions that were learnt before must be read anew.
 */
export class SyncState {
  epoch = 1;
  isInSync = true;

  lose(): void {
    this.isInSync = false;
    this.epoch += 1;
  }

  regain(): void {
    this.isInSync = true;
    this.epoch += 1;
  }
}
