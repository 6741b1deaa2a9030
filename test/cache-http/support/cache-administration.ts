import { type Cache, Caches } from '#libs/cache';
import {
  startTestApi,
  type TestAnswer,
  type TestApi,
  type TestRequest,
} from '../../support/app.js';
import { PATIENT } from './patient.js';

/** An API, and its cache as an administrator sees and changes it under `/v1/perf/cache`. */
export class CacheAdministration {
  readonly caches: Caches;

  private constructor(
    readonly api: TestApi,
    private readonly token: string,
  ) {
    this.caches = api.app.get(Caches);
  }

  static async start(): Promise<CacheAdministration> {
    const api = await startTestApi(PATIENT);
    return new CacheAdministration(api, await api.login());
  }

  /** Opens a namespace, or gives the one that is open. */
  open(name: string, options: Parameters<Caches['open']>[1] = {}): Cache {
    return this.caches.open(name, { jitter: 0, ...options });
  }

  /** Asks as the administrator, unless `options` has another token, or undefined for none. */
  request(method: string, path: string, options: TestRequest = {}): Promise<TestAnswer> {
    return this.api.request(method, `/v1/perf/cache${path}`, { token: this.token, ...options });
  }

  get(path: string): Promise<TestAnswer> {
    return this.request('GET', path);
  }

  close(): Promise<void> {
    return this.api.close();
  }
}
