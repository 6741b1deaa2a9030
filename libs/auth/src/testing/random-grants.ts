import type { PermissionGrant } from '#libs/core';

/** Few names, so that random paths and patterns meet often. */
const NAMES = ['a', 'b', 'c'];
const ACTIONS = ['read', 'write'];
const MAX_SEGMENTS = 4;

/** Random paths, patterns and grants over a small world. */
export class RandomGrants {
  constructor(private readonly random: () => number) {}

  path(): string {
    return this.segments(NAMES);
  }

  pattern(): string {
    return this.segments([...NAMES, '*', '*']);
  }

  action(): string {
    return this.one(ACTIONS);
  }

  grant(): PermissionGrant {
    return {
      resource: this.pattern(),
      action: this.one([...ACTIONS, '*']),
      effect: this.random() < 0.7 ? 'allow' : 'deny',
    };
  }

  grants(max: number): PermissionGrant[] {
    return Array.from({ length: Math.floor(this.random() * (max + 1)) }, () => this.grant());
  }

  private segments(names: readonly string[]): string {
    const length = 1 + Math.floor(this.random() * MAX_SEGMENTS);
    return Array.from({ length }, () => this.one(names)).join(':');
  }

  private one(from: readonly string[]): string {
    return from[Math.floor(this.random() * from.length)] ?? '';
  }
}
