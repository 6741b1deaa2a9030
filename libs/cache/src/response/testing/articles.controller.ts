import { Controller, Get, NotFoundException, Param, Query } from '@nestjs/common';
import { Public } from '#libs/http';
import { Cacheable } from '../../decorators/cacheable.decorator.js';

interface Article {
  readonly id: string;
  readonly author: string;
}

export const articles = new Map<string, Article>();

// #region example
@Public()
@Controller('v1/articles')
export class ArticlesController {
  @Get(':id')
  @Cacheable<ArticlesController['find']>({
    ttlMs: 60_000,
    revalidateMs: 30_000,
    staleMs: 600_000,
    absentTtlMs: 5_000,
    tags: (article) => [`article:${article.id}`, `author:${article.author}`],
  })
  find(@Param('id') id: string): Article {
    const article = articles.get(id);
    if (article === undefined) throw new NotFoundException();
    return article;
  }

  @Get()
  @Cacheable({ varyBy: ['header:accept-language'], tags: ['articles'] })
  list(@Query('author') author?: string): Article[] {
    return [...articles.values()].filter(
      (article) => article.author === (author ?? article.author),
    );
  }
}
// #endregion
