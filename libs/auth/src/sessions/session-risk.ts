import { clientKeyOf } from '#libs/http';
import type { SessionRisk } from './session-timeout.js';

/** Something about a session that is unlike the sessions that its user had before. */
export type SessionAnomaly =
  'new-network' | 'new-device' | 'failed-log-ins' | 'network-changed' | 'device-changed';

/** From where, and with what, a session is used. */
export interface SessionOrigin {
  /** IP address; undefined where there is none, as in a command. */
  readonly address?: string | undefined;
  /** The header `User-Agent`, as `deviceOf` cuts it. */
  readonly userAgent?: string | undefined;
}

const MAX_USER_AGENT_CHARACTERS = 256;

/** What is kept of a header `User-Agent`, and so all that devices are told apart by. */
export function deviceOf(userAgent: string | undefined): string | undefined {
  if (userAgent === undefined || userAgent.length <= MAX_USER_AGENT_CHARACTERS) return userAgent;
  // A slice alone would keep the whole text in memory.
  return Buffer.from(userAgent.slice(0, MAX_USER_AGENT_CHARACTERS), 'utf16le').toString('utf16le');
}

export interface RiskAssessment {
  readonly risk: SessionRisk;
  readonly anomalies: readonly SessionAnomaly[];
}

/** So many anomalies together make a session one that is not trusted to be its user's. */
const ANOMALIES_OF_HIGH_RISK = 2;
const SESSIONS_OF_TRUST = 3;
const FAILURES_OF_NOTE = 3;

/**
 * The risk of a session that begins: two signs that it is not its user's make it high; none of them,
 * and three earlier sessions from the same network with the same device, make it trusted. A user's
 * first session has nothing to be unlike, and nothing is learned from one of unknown origin.
 */
export function assessLogin(
  origin: SessionOrigin,
  earlier: readonly SessionOrigin[],
  failuresBefore: number,
): RiskAssessment {
  const anomalies: SessionAnomaly[] = [];
  const known = isKnown(origin) ? earlier.filter(isKnown) : [];
  if (known.length > 0) {
    if (!known.some((one) => isSameNetwork(one, origin))) anomalies.push('new-network');
    if (!known.some((one) => isSameDevice(one, origin))) anomalies.push('new-device');
  }
  if (failuresBefore >= FAILURES_OF_NOTE) anomalies.push('failed-log-ins');
  const alike = known.filter((one) => isSameNetwork(one, origin) && isSameDevice(one, origin));
  return {
    risk: riskOf(anomalies, alike.length >= SESSIONS_OF_TRUST),
    anomalies,
  };
}

/**
 * The risk of a session that is used from `origin`. What was held against it once stays; where it
 * began is not held against it when that is not known.
 */
export function assessUse(
  session: RiskAssessment & { readonly origin: SessionOrigin },
  origin: SessionOrigin,
): RiskAssessment {
  const anomalies = new Set(session.anomalies);
  const { address, userAgent } = session.origin;
  if (address !== undefined && !isSameNetwork(session.origin, origin)) {
    anomalies.add('network-changed');
  }
  if (userAgent !== undefined && !isSameDevice(session.origin, origin)) {
    anomalies.add('device-changed');
  }
  return {
    risk: riskOf([...anomalies], session.risk === 'trusted'),
    anomalies: [...anomalies],
  };
}

function riskOf(anomalies: readonly SessionAnomaly[], isFamiliar: boolean): SessionRisk {
  if (anomalies.length >= ANOMALIES_OF_HIGH_RISK) return 'high';
  return anomalies.length === 0 && isFamiliar ? 'trusted' : 'normal';
}

/** Every request has an address; what has none was no request, or is of a time when none was kept. */
function isKnown({ address }: SessionOrigin): boolean {
  return address !== undefined;
}

function isSameNetwork(one: SessionOrigin, other: SessionOrigin): boolean {
  return networkOf(one.address) === networkOf(other.address);
}

function isSameDevice(one: SessionOrigin, other: SessionOrigin): boolean {
  return one.userAgent === other.userAgent;
}

/** What stays when somebody gets another address of the same provider: a /24, or a /64 of IPv6. */
function networkOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const client = clientKeyOf(address);
  return client.includes('.') ? client.slice(0, client.lastIndexOf('.')) : client;
}
