/** How much reason there is to doubt that a session is in the hands of its user. */
export type SessionRisk = 'trusted' | 'normal' | 'high';

/** An earlier session, as far as the time-out goes by it. */
export interface SessionUse {
  /** Requests that the session made. */
  readonly count: number;
  readonly hoursAgo: number;
}

export interface TimeoutInputs {
  /** The last sessions of a day, at most ten; see `lastSessionsOfDay`. */
  readonly uses: readonly SessionUse[];
  /** Names of the user's roles. */
  readonly roles: readonly string[];
  /** Whether the work of the session was declared to be important. */
  readonly important: boolean;
  readonly risk: SessionRisk;
}

/** What a time-out was made of, to be shown. */
export interface TimeoutFactors {
  readonly baseMinutes: number;
  readonly activity: {
    /** Σ count / (hours ago + 1) over the sessions. */
    readonly score: number;
    readonly level: 'low' | 'medium' | 'high';
    readonly factor: number;
  };
  readonly role: { readonly name: string | null; readonly factor: number };
  readonly context: { readonly important: boolean; readonly factor: number };
  readonly risk: { readonly level: SessionRisk; readonly factor: number };
  /** The product, before the bounds. */
  readonly minutes: number;
  readonly minMinutes: number;
  readonly maxMinutes: number;
}

export interface SessionTimeout {
  readonly timeoutSeconds: number;
  readonly factors: TimeoutFactors;
}

const BASE_MINUTES = 30;
const MIN_MINUTES = 5;
const MAX_MINUTES = 480;
const HIGH_ACTIVITY = 50;
const MEDIUM_ACTIVITY = 20;
const ACTIVITY_FACTORS = { high: 1.5, medium: 1, low: 0.7 } as const;
const RISK_FACTORS = { high: 0.6, normal: 1, trusted: 1.2 } as const;
const IMPORTANT_FACTOR = 1.3;
/** The first that the user has counts. */
const ROLE_FACTORS: readonly (readonly [name: string, factor: number])[] = [
  ['admin', 2],
  ['premium', 1.5],
];

/**
 * How long a session may be unused before it ends: 30 minutes times a factor for each of activity,
 * role, context and risk, and never less than 5 or more than 480 minutes. A pure function: the same
 * inputs give the same time-out.
 */
export function sessionTimeout({ uses, roles, important, risk }: TimeoutInputs): SessionTimeout {
  const score = uses.reduce((sum, { count, hoursAgo }) => sum + count / (hoursAgo + 1), 0);
  const level = score > HIGH_ACTIVITY ? 'high' : score > MEDIUM_ACTIVITY ? 'medium' : 'low';
  const [roleName, roleFactor] = ROLE_FACTORS.find(([name]) => roles.includes(name)) ?? [null, 1];
  const factors = {
    activity: { score: Math.round(score * 100) / 100, level, factor: ACTIVITY_FACTORS[level] },
    role: { name: roleName, factor: roleFactor },
    context: { important, factor: important ? IMPORTANT_FACTOR : 1 },
    risk: { level: risk, factor: RISK_FACTORS[risk] },
  } as const;
  const minutes =
    BASE_MINUTES *
    factors.activity.factor *
    factors.role.factor *
    factors.context.factor *
    factors.risk.factor;
  const bounded = Math.min(Math.max(minutes, MIN_MINUTES), MAX_MINUTES);
  return {
    timeoutSeconds: Math.round(bounded * 60),
    factors: {
      baseMinutes: BASE_MINUTES,
      ...factors,
      minutes: Math.round(minutes * 100) / 100,
      minMinutes: MIN_MINUTES,
      maxMinutes: MAX_MINUTES,
    },
  };
}

const HOUR_MS = 3_600_000;
const SESSIONS_LEARNED_FROM = 10;

/** When a session was last used, and for how many requests. */
export interface PastSession {
  readonly lastActiveAt: Date;
  readonly requestCount: number;
}

/** Of `sessions`, the latest first, the uses of the last ten within a day of `nowMs`. */
export function lastSessionsOfDay(sessions: readonly PastSession[], nowMs: number): SessionUse[] {
  return sessions
    .map(({ lastActiveAt, requestCount }) => ({
      count: requestCount,
      hoursAgo: Math.max(0, nowMs - lastActiveAt.getTime()) / HOUR_MS,
    }))
    .filter(({ hoursAgo }) => hoursAgo <= 24)
    .slice(0, SESSIONS_LEARNED_FROM);
}
