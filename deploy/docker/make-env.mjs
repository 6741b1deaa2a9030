// Writes the secrets that docker-compose.yml asks for, each a new random one, into a file that
// only its owner can read. An existing file stays as it is: it belongs to data that exists.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';

const path = process.argv[2] ?? 'deploy/compose.env';
const secret = () => randomBytes(24).toString('hex');

const lines = [
  '# Read by "docker compose --env-file". Keep it: the volumes know these passwords.',
  'PANTHEON_ADMIN_EMAIL=admin@pantheon.local',
  `PANTHEON_ADMIN_PASSWORD=${secret()}`,
  `PANTHEON_AUTH_ENCRYPTION_KEY=${secret()}`,
  `PANTHEON_METRICS_TOKEN=${secret()}`,
  `POSTGRES_PASSWORD=${secret()}`,
  `VALKEY_PASSWORD=${secret()}`,
  `GRAFANA_ADMIN_PASSWORD=${secret()}`,
];

try {
  await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  process.stdout.write(`Wrote new secrets to ${path}.\n`);
} catch (error) {
  process.exitCode = 1;
  const reason = error.code === 'EEXIST' ? 'it exists already; nothing was changed' : error.message;
  process.stderr.write(`Did not write ${path}: ${reason}.\n`);
}
