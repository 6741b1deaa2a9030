import { HealthThread } from '../../../libs/health/src/port/health-thread.js';

/**
 * A process with a health port that does nothing else, for tests that keep it busy. Prints its port;
 * a line `block <ms>` on its input keeps the main thread from turning, `drain` begins a shutdown,
 * `close` closes the port and `exit` ends the process in peace.
 */
const [port = '0', stallMs = '500'] = process.argv.slice(2);
const thread = new HealthThread({
  host: '127.0.0.1',
  port: Number(port),
  stallMs: Number(stallMs),
  scrapeTimeoutMs: 300,
  scrape: ({ authorization = 'nobody' }) =>
    Promise.resolve({ status: 200, contentType: 'text/plain', text: `for ${authorization}` }),
  onDeath: (error) => process.stdout.write(`died ${String(error)}\n`),
});

try {
  await thread.start();
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
  process.exit(1);
}
thread.publish({ status: 'degraded', details: {} });
process.stdout.write(`port ${thread.port}\n`);

process.stdin.setEncoding('utf8').on('data', (text: string) => {
  const [order, value = '0'] = text.trim().split(' ');
  if (order === 'block') block(Number(value));
  if (order === 'drain') thread.drain();
  if (order === 'close') void thread.close();
  // Its input was all that held it: the thread does not.
  if (order === 'exit') process.stdin.destroy();
  process.stdout.write(`${order} done\n`);
});

function block(ms: number): void {
  process.stdout.write('blocking\n');
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}
