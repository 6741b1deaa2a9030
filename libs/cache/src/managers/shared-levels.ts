import type { Clock } from '#libs/core';
import type { HubTierOptions } from '../engine/hub.options.js';
import type { EntryCodec, EntryCodecOptions } from '../entry/entry-codec.js';

/** Makes shared levels over the connections of the process, for namespaces that need their own. */
export class SharedLevels {
  constructor(
    readonly clock: Clock,
    /** As the settings say; what others make from it can be read by whoever reads the levels. */
    readonly codecOptions: EntryCodecOptions,
    /** The fastest first; none where the settings leave them out. */
    readonly withCodec: (codec: EntryCodec) => HubTierOptions[],
    /** The disk of this machine, for those who ask for it; none where the settings leave it out. */
    readonly disk: (codec: EntryCodec) => HubTierOptions[] = () => [],
  ) {}
}
