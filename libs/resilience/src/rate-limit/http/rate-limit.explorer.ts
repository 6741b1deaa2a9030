import { Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { messageOf } from '#libs/core';
import { RateLimitDecoratorError } from '../errors/rate-limit-decorator.error.js';
import type { RatePolicy } from '../gcra/rate-policy.js';
import { policiesByName, policiesOf } from '../rate-rule.js';
import { routesOf, rulesOf } from './decorated-route.js';

/** Looks at the rules of all handlers before the first request. */
@Injectable()
export class RateLimitExplorer implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  /** @throws RateLimitDecoratorError that tells all that is wrong */
  onModuleInit(): void {
    const problems: string[] = [];
    const policies = this.discovery
      .getControllers()
      .flatMap(({ metatype }) => (metatype ? this.policiesIn(metatype as Type, problems) : []));
    for (const name of policiesByName(policies).ambiguous) {
      problems.push(
        `@RateLimit: there are rules for "${name}" with different numbers: give them names of their own, or one rule in one place`,
      );
    }
    if (problems.length > 0) throw new RateLimitDecoratorError(problems);
  }

  private policiesIn(controller: Type, problems: string[]): RatePolicy[] {
    const prototype = controller.prototype as Readonly<Record<string, object>>;
    return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
      const handler = prototype[method] as object;
      if (!Reflect.hasMetadata(PATH_METADATA, handler)) return [];
      try {
        const rules = rulesOf(this.reflector, handler, controller);
        return policiesOf(rules, routesOf(handler, controller)[0] ?? '');
      } catch (error) {
        problems.push(`@RateLimit on ${controller.name}.${method}: ${messageOf(error, '')}`);
        return [];
      }
    });
  }
}
