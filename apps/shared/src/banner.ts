/** What a person wants to know right after a start. */
export interface BannerFacts {
  readonly url: string;
  readonly startedInMs: number;
  readonly database: string;
  readonly jobs: string;
  /** Shown on the first start only; nothing else ever tells the password. */
  readonly administrator?: { readonly email: string; readonly password: string } | undefined;
}

/** The text that a start prints: where everything is, and how to log in for the first time. */
export function banner(facts: BannerFacts): string {
  const { url, administrator } = facts;
  const rows: (readonly [string, string])[] = [
    ['API', `${url}/v1`],
    ['Docs', `${url}/docs`],
    ['Health', `${url}/health`],
    ['Metrics', `${url}/metrics`],
    ['Dashboard', `${url}/dashboard`],
    ['Database', facts.database],
    ['Jobs', facts.jobs],
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`);
  if (administrator !== undefined) {
    lines.push(
      '',
      '  The first administrator was created. The password is shown this once:',
      `  Email      ${administrator.email}`,
      `  Password   ${administrator.password}`,
    );
  }
  return `\nPantheon is ready after ${Math.round(facts.startedInMs)} ms.\n\n${lines.join('\n')}\n\n`;
}
