import type { AnyFunction } from '#libs/core';
import type { NamespaceOptions } from '../managers/caches.js';
import type { AnyCacheableOptions } from './cacheable.options.js';
import { pick } from './call-rules.js';

/** Options that a namespace has as a whole. */
const NAMESPACE_OPTIONS = [
  'kind',
  'maxItems',
  'maxBytes',
  'policy',
  'clone',
  'freeze',
  'useTiers',
] as const satisfies readonly (keyof AnyCacheableOptions & keyof NamespaceOptions)[];

/** Those of the options that a namespace is opened with. */
export function namespaceOptionsOf(options: AnyCacheableOptions): NamespaceOptions<never> {
  return pick(options, NAMESPACE_OPTIONS);
}

/** A method that stores in a namespace. */
export interface NamespaceUser {
  readonly name: string;
  readonly namespace: string;
  readonly options: AnyCacheableOptions;
  readonly instance: object;
  /** What Nest knows the instance by. */
  readonly token: unknown;
  /** The method as it was declared. */
  readonly method: AnyFunction;
}

/**
 * What is wrong with methods that store in the same namespace: each of them could be given what
 * another one has stored.
 */
export function namespaceProblems(users: readonly NamespaceUser[]): string[] {
  const problems: string[] = [];
  for (const [at, user] of users.entries()) {
    if (user.namespace === '' || user.namespace.includes(':')) {
      problems.push(
        `@Cacheable on ${user.name}: '${user.namespace}' is no namespace: give a word without ':'`,
      );
    }
    for (const other of users.slice(0, at)) {
      const problem = user.namespace === other.namespace ? clashOf(user, other) : undefined;
      if (problem !== undefined) problems.push(`@Cacheable on ${user.name}: ${problem}`);
    }
  }
  return [...new Set(problems)];
}

function clashOf(user: NamespaceUser, other: NamespaceUser): string | undefined {
  const { namespace } = user;
  const isSameClass = user.instance.constructor === other.instance.constructor;
  if (
    !isSameClass &&
    user.options.namespace === undefined &&
    other.options.namespace === undefined
  ) {
    return `another class is named ${user.instance.constructor.name} too: give namespace`;
  }
  if (user.method === other.method) {
    if (!isSameClass) {
      return `${user.instance.constructor.name} and ${other.instance.constructor.name} inherit it, and both would store in '${namespace}': leave namespace out, so that each has its own`;
    }
    return user.token === other.token
      ? undefined
      : `two providers are instances of ${user.instance.constructor.name}, and both would store in '${namespace}': make a subclass of one`;
  }
  if (user.options.key === undefined && other.options.key === undefined) {
    return `${other.name} has the namespace '${namespace}' too, and neither has a key: give keys that differ`;
  }
  for (const option of NAMESPACE_OPTIONS) {
    const [one, two] = [user.options[option], other.options[option]];
    if (one !== undefined && two !== undefined && one !== two) {
      return `${other.name} gives the namespace '${namespace}' another ${option}: give it once`;
    }
  }
  return undefined;
}
