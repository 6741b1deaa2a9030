import { Injectable } from '@nestjs/common';
import { type Cache, Cacheable, type CacheLearning, WarmUp } from '#libs/cache';

/** What the examples load from. */
@Injectable()
export class Shelf {
  readonly loads: string[] = [];

  async read(id: string): Promise<string> {
    this.loads.push(id);
    return `Article ${id}, with text`;
  }

  async rate(currency: string): Promise<number> {
    this.loads.push(currency);
    return currency.length;
  }

  async ids(): Promise<string[]> {
    return ['s1', 's2'];
  }
}

// The blocks of docs/caching/warming.md, as they stand there.

@Injectable()
export class Articles {
  constructor(private readonly shelf: Shelf) {}

  @Cacheable({ namespace: 'articles', key: 'article:{id}', ttlMs: 600_000, prefetch: true })
  @WarmUp({ topN: 500 })
  async find(id: string): Promise<string> {
    return this.shelf.read(id);
  }

  @Cacheable({ namespace: 'rates', key: 'rate:{currency}', ttlMs: 3_600_000 })
  @WarmUp({ keys: ['EUR', 'USD', 'GBP'], cron: '*/30 * * * *', atStart: true })
  async rateOf(currency: string): Promise<number> {
    return this.shelf.rate(currency);
  }

  @Cacheable({ namespace: 'summaries' })
  @WarmUp<Articles>({
    keys: (articles) => articles.shelf.ids(),
    everyMs: 3_600_000,
    concurrency: 2,
  })
  async summaryOf(id: string): Promise<string> {
    return (await this.shelf.read(id)).slice(0, 10);
  }
}

export function prefetchTags(learning: CacheLearning, cache: Cache<string>, shelf: Shelf): void {
  learning.prefetch(
    cache,
    { find: (key) => ({ load: () => shelf.read(key) }) },
    { maxPerSecond: 5 },
  );
}
