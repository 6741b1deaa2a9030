import { Injectable, type OnModuleInit } from '@nestjs/common';
import { poolOf } from '#libs/persistence';
import { DataSource } from 'typeorm';
import { Policies } from './policies.js';

/** Shows the breaker of the pool of database connections beside those of policies. */
@Injectable()
export class DatabaseBreaker implements OnModuleInit {
  constructor(
    private readonly policies: Policies,
    private readonly dataSource: DataSource,
  ) {}

  onModuleInit(): void {
    this.policies.addSource(() => {
      const state = poolOf(this.dataSource)?.breaker.state;
      return state === undefined ? [] : [{ name: 'database', state }];
    });
  }
}
