const ADMINISTRATOR = { email: 'admin@bench.example', password: 'correct horse battery staple' };

/** A resource of the size that the platform answers with, for servers that do nothing else. */
export const CONSTANT_ANSWER = {
  id: '01982a1e-7a5c-7000-8000-000000000000',
  ownerId: '01982a1e-7a5c-7000-8000-000000000001',
  name: 'notes',
  label: 'notes',
  kind: 'document',
  scope: 'personal',
  retentionDays: null,
  cacheRule: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
};

/** What servers in processes of their own read: the database, and the administrator to be made. */
export function describePlatform(databaseUrl: string): void {
  Object.assign(process.env, {
    NODE_ENV: 'production',
    DATABASE_URL: databaseUrl,
    PANTHEON_ADMIN_EMAIL: ADMINISTRATOR.email,
    PANTHEON_ADMIN_PASSWORD: ADMINISTRATOR.password,
  });
}

/** The header `Authorization` of the administrator, for the API at `url`. */
export async function logInAt(url: string): Promise<string> {
  const answer = await fetch(`${url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ADMINISTRATOR),
  });
  if (!answer.ok) throw new Error(`The login failed: ${answer.status} ${await answer.text()}`);
  return `Bearer ${String(((await answer.json()) as { accessToken?: unknown }).accessToken)}`;
}
