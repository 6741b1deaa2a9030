import { Readable } from 'node:stream';
import { Controller, Param, Post, Query, Req } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { PantheonError, type Principal } from '#libs/core';
import { AcceptsText, CurrentPrincipal, Idempotent, Priority, Returns } from '#libs/http';
import { contextSettings } from '../context.settings.js';
import { EntryService } from '../services/entry.service.js';
import type { BulkReport } from '../services/views.js';
import { bulkReportSchema } from './answer.schemas.js';
import { bodyTooLarge, ndjsonLines } from './ndjson-lines.js';
import { type BulkQuery, bulkQuerySchema, sourceIdSchema } from './parameter.schemas.js';

/** What the handler needs of a request; the body is the stream itself. */
interface BulkRequest {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Many entries in one request. */
@Controller('v1/sources/:id/entries/bulk')
@Priority('batch')
export class BulkController {
  constructor(
    private readonly entries: EntryService,
    private readonly settings: SettingsStore,
  ) {}

  /**
   * The body is read as fast as the database stores it, so its size costs no memory. Whatever
   * ends the write early, the rest of the body is read and thrown away: a client that still sends
   * would not see the answer otherwise.
   */
  @Post()
  @Idempotent()
  @AcceptsText(
    'application/x-ndjson',
    'An entry a line, as POST /v1/sources/{id}/entries takes it. With an externalKey in each, sending it all again doubles nothing',
  )
  @Returns(200, 'Adds many entries and lists the lines that were rejected', bulkReportSchema)
  async insert(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: sourceIdSchema }) source: string,
    @Query({ schema: bulkQuerySchema }) { onError }: BulkQuery,
    @Req() { body, headers }: BulkRequest,
  ): Promise<BulkReport> {
    if (!(body instanceof Readable)) throw notNdjson();
    const { bulkMaxLineBytes, bulkMaxBytes } = this.settings.get(contextSettings);
    try {
      if (Number(headers['content-length'] ?? 0) > bulkMaxBytes) throw bodyTooLarge(bulkMaxBytes);
      const lines = ndjsonLines(body, {
        maxLineBytes: bulkMaxLineBytes,
        maxBytes: bulkMaxBytes,
        keepsEarlierLines: onError === 'skip',
      });
      return await this.entries.bulkInsert(principal, source, lines, { onError });
    } finally {
      body.resume();
    }
  }
}

function notNdjson(): PantheonError {
  return new PantheonError(
    'MEDIA_TYPE_UNSUPPORTED',
    'Send one JSON object a line as application/x-ndjson.',
    { kind: 'unsupported' },
  );
}
