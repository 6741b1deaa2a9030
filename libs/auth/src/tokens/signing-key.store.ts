import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SigningKey } from '../entities/signing-key.entity.js';

export type StoredSigningKey = Omit<SigningKey, 'createdAt'>;

/** Where processes share their signing keys. */
@Injectable()
export class SigningKeyStore {
  constructor(private readonly dataSource: DataSource) {}

  /** Every key, newest generation first. */
  all(): Promise<StoredSigningKey[]> {
    return this.dataSource.getRepository(SigningKey).find({
      select: { kid: true, generation: true, encryption: true, secret: true },
      order: { generation: 'DESC' },
    });
  }

  /** Keeps a key, unless another process was first with its generation. */
  async add({ kid, generation, encryption, secret }: StoredSigningKey): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO signing_key (kid, generation, encryption, secret) VALUES ($1, $2, $3, $4)
       ON CONFLICT (generation) DO NOTHING`,
      [kid, generation, encryption, secret],
    );
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
