import { Injectable } from '@nestjs/common';
import type { HubTierOptions } from '../../engine/hub.options.js';
import { TierStack } from '../../engine/tier-stack.js';
import { SharedLevels } from '../../managers/shared-levels.js';
import { StrategyLevelMissingError } from '../errors/strategy.errors.js';
import type { StrategyType } from '../model/strategy.schemas.js';
import { TunableCodec } from './tunable-codec.js';

/** The levels of one strategy below the first. */
export interface OwnLevels {
  readonly stack: TierStack;
  readonly codec: TunableCodec;
}

const REMEDIES: Readonly<Record<StrategyType, string>> = {
  memory: 'nothing',
  disk: 'the disk level: set cache.disk',
  distributed: 'Redis or PostgreSQL as a level: set cache.l2 or cache.l3',
  hybrid: 'Redis or PostgreSQL as a level: set cache.l2 or cache.l3',
};

/** Gives each strategy the levels of its type, over the connections that the process has. */
@Injectable()
export class StrategyLevels {
  constructor(private readonly shared: SharedLevels) {}

  /** Throws `CACHE_STRATEGY_LEVEL_MISSING` where the settings leave the levels out. */
  make(type: StrategyType): OwnLevels {
    const codec = new TunableCodec(this.shared.codecOptions);
    const tiers = this.tiersOf(type, codec);
    if (tiers.length === 0 && type !== 'memory') {
      throw new StrategyLevelMissingError(type, REMEDIES[type]);
    }
    return { codec, stack: new TierStack(tiers, this.shared.clock) };
  }

  private tiersOf(type: StrategyType, codec: TunableCodec): HubTierOptions[] {
    switch (type) {
      case 'memory':
        return [];
      case 'disk':
        return this.shared.disk(codec);
      case 'distributed':
      case 'hybrid':
        return this.shared.withCodec(codec);
    }
  }
}
