import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { MetricsSettings } from '../metrics.settings.js';

/** What decides over who may read the metrics. */
export interface MetricsReader {
  readonly authorization: string | undefined;
  /** Of the connection. */
  readonly remoteAddress: string | undefined;
  /** Of the client, as far as proxies are trusted. */
  readonly clientAddress: string;
  /** Whether a proxy says that it forwards for somebody else. */
  readonly isForwarded: boolean;
}

/** Whether this reader may have the metrics, by token, by being on this machine, or at all. */
export function mayReadMetrics(
  reader: MetricsReader,
  { access, token }: Pick<MetricsSettings, 'access' | 'token'>,
): boolean {
  if (token !== undefined && reader.authorization !== undefined) {
    const given = /^bearer +(.*)$/i.exec(reader.authorization)?.[1];
    if (given !== undefined && isEqual(given, token)) return true;
  }
  if (access === 'loopback') return isLocal(reader);
  return access === 'public';
}

/** What a proxy forwards comes from somebody else, also when the proxy is on this machine. */
function isLocal({ remoteAddress, clientAddress, isForwarded }: MetricsReader): boolean {
  return !isForwarded && isLoopback(remoteAddress) && isLoopback(clientAddress);
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.replace(/^::ffff:/i, '');
  return isIPv6(plain) ? plain === '::1' : plain.startsWith('127.');
}

/** In a time that does not depend on how much of it is right. */
function isEqual(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
