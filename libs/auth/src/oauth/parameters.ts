import { PantheonError } from '#libs/core';
import { OAuthError } from '../errors/oauth.error.js';

/** The parameters of a request of the protocol: each at most once, and none without a value. */
export class Parameters {
  private constructor(private readonly values: ReadonlyMap<string, string>) {}

  /**
   * Reads the body of a form.
   * @throws PantheonError MEDIA_TYPE_UNSUPPORTED when it is none; OAuthError
   */
  static ofForm(body: unknown): Parameters {
    if (!(body instanceof URLSearchParams)) {
      throw new PantheonError(
        'MEDIA_TYPE_UNSUPPORTED',
        'This route takes application/x-www-form-urlencoded.',
        { kind: 'unsupported' },
      );
    }
    return Parameters.of([...body]);
  }

  /** Reads the query of an address, in which a list stands for what was given several times. */
  static ofQuery(query: unknown): Parameters {
    const entries = Object.entries((query ?? {}) as Record<string, unknown>);
    return Parameters.of(
      entries.flatMap(([name, value]) =>
        [value].flat().map((one): [string, string] => [name, String(one)]),
      ),
    );
  }

  /** RFC 6749, section 3.1: what has no value counts as left out, and nothing may come twice. */
  private static of(entries: readonly (readonly [string, string])[]): Parameters {
    const values = new Map<string, string>();
    for (const [name, value] of entries) {
      if (values.has(name)) throw new OAuthError('invalid_request', `${name} was given twice.`);
      values.set(name, value);
    }
    return new Parameters(values);
  }

  get(name: string): string | undefined {
    const value = this.values.get(name);
    return value === '' ? undefined : value;
  }

  /** @throws OAuthError invalid_request */
  require(name: string): string {
    const value = this.get(name);
    if (value === undefined) throw new OAuthError('invalid_request', `${name} is missing.`);
    return value;
  }
}
