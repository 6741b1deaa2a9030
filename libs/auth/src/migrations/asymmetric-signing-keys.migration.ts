import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Signing keys become key pairs (ES256) that follow one another. The shared secrets of before
 * (HS256) are deleted: access tokens that they signed become invalid, and refresh tokens, which no
 * key signs, are exchanged for new ones as always.
 */
export class AsymmetricSigningKeys1790000001020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM signing_key;
      ALTER TABLE signing_key
        ADD COLUMN algorithm text NOT NULL CHECK (algorithm IN ('ES256')),
        ADD COLUMN signs_from timestamptz NOT NULL,
        ADD COLUMN expires_at timestamptz;
      CREATE INDEX signing_key_expires_at ON signing_key (expires_at);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM signing_key;
      DROP INDEX signing_key_expires_at;
      ALTER TABLE signing_key
        DROP COLUMN algorithm, DROP COLUMN signs_from, DROP COLUMN expires_at;`);
  }
}
