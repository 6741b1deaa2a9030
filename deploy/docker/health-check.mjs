// What the container's HEALTHCHECK runs: exits 0 when the process of this container is ready.
import { get } from 'node:http';

const url = `http://127.0.0.1:${process.env.PANTHEON_HEALTH_PORT || 3001}/health/ready`;
const request = get(url, { agent: false, timeout: 2000 }, (response) => {
  response.resume();
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on('timeout', () => request.destroy(new Error('no answer within 2 s')));
request.on('error', (error) => {
  process.stderr.write(`${url}: ${error.message}\n`);
  process.exitCode = 1;
});
