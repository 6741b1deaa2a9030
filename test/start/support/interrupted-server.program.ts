import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { endWithUs } from '../../../libs/persistence/src/embedded/end-with-us.js';

/**
 * A process that is interrupted at the worst moment: its server runs, and it has heard nothing of
 * it yet. Prints the id of the server, which would go on for a minute.
 */
endWithUs(() => {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  process.stdout.write(`${JSON.stringify({ pid: child.pid })}\n`);
  process.kill(process.pid, 'SIGINT');
  return { pid: child.pid, ended: once(child, 'exit').then(() => 'it ended') };
});
