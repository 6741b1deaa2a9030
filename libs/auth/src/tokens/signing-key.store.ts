import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SigningKey } from '../entities/signing-key.entity.js';

export type StoredSigningKey = SigningKey;

/** Where processes share their signing keys. */
@Injectable()
export class SigningKeyStore {
  constructor(private readonly dataSource: DataSource) {}

  /** Every key, newest generation first. */
  all(): Promise<StoredSigningKey[]> {
    return this.dataSource.getRepository(SigningKey).find({
      select: {
        kid: true,
        generation: true,
        algorithm: true,
        encryption: true,
        secret: true,
        createdAt: true,
        signsFrom: true,
        expiresAt: true,
      },
      order: { generation: 'DESC' },
    });
  }

  /**
   * Keeps the key of a new generation, unless another process was first with it. Those before it
   * then expire at `predecessorsExpireAt`, or are deleted when that is null.
   * @returns whether it was kept
   */
  async add(key: StoredSigningKey, predecessorsExpireAt: Date | null): Promise<boolean> {
    const { kid, generation, algorithm, encryption, secret, createdAt, signsFrom } = key;
    return this.dataSource.transaction(async (manager) => {
      const added = await manager.query<unknown[]>(
        `INSERT INTO signing_key
           (kid, generation, algorithm, encryption, secret, created_at, signs_from)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (generation) DO NOTHING RETURNING kid`,
        [kid, generation, algorithm, encryption, secret, createdAt, signsFrom],
      );
      if (added.length === 0) return false;
      if (predecessorsExpireAt === null) {
        await manager.query('DELETE FROM signing_key WHERE generation < $1', [generation]);
      } else {
        await manager.query(
          `UPDATE signing_key SET expires_at = $2 WHERE generation < $1 AND expires_at IS NULL`,
          [generation, predecessorsExpireAt],
        );
      }
      return true;
    });
  }

  /** Replaces how a key is stored that nobody has encrypted yet. */
  async encrypt(kid: string, sealed: Buffer): Promise<void> {
    await this.dataSource.query(
      `UPDATE signing_key SET encryption = 'aes-256-gcm', secret = $2
       WHERE kid = $1 AND encryption = 'none'`,
      [kid, sealed],
    );
  }
}
