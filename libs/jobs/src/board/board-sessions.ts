import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { DataSource } from 'typeorm';
import { jobsSettings } from '../jobs.settings.js';

/** What a browser may do on the job board. */
export interface BoardSession {
  readonly canManage: boolean;
}

const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * Lets browsers, which cannot send a bearer token when they load a page, use the job board: a
 * random token for a short time, kept hashed and shared by all processes.
 */
@Injectable()
export class BoardSessions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
  ) {}

  /** @returns the token and how long it is good for */
  async open(userId: string, canManage: boolean): Promise<{ token: string; seconds: number }> {
    const { boardSessionSeconds: seconds } = this.settings.get(jobsSettings);
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    await this.dataSource.query(
      `INSERT INTO job_board_session (token_hash, user_id, can_manage, expires_at)
       VALUES ($1, $2, $3, $4)`,
      [hashOf(token), userId, canManage, new Date(this.clock.nowMs() + seconds * 1_000)],
    );
    return { token, seconds };
  }

  /** The session of a token; undefined when there is none or it has expired. */
  async find(token: string): Promise<BoardSession | undefined> {
    if (!TOKEN.test(token)) return undefined;
    const [row] = await this.dataSource.query<{ can_manage: boolean }[]>(
      'SELECT can_manage FROM job_board_session WHERE token_hash = $1 AND expires_at > $2',
      [hashOf(token), this.clock.now()],
    );
    return row === undefined ? undefined : { canManage: row.can_manage };
  }

  async close(token: string): Promise<void> {
    if (!TOKEN.test(token)) return;
    await this.dataSource.query('DELETE FROM job_board_session WHERE token_hash = $1', [
      hashOf(token),
    ]);
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
