import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Browsers that may use the job board, until their session expires. */
export class JobBoardSession1790000300001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE job_board_session (
        token_hash bytea PRIMARY KEY,
        user_id uuid NOT NULL,
        can_manage boolean NOT NULL,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX job_board_session_expires_at ON job_board_session (expires_at);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE job_board_session');
  }
}
