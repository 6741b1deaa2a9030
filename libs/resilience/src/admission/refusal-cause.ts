/** Why a request is not let in. */
export const REFUSAL_CAUSES = ['queue-full', 'overloaded', 'deadline', 'memory'] as const;

export type RefusalCause = (typeof REFUSAL_CAUSES)[number];
