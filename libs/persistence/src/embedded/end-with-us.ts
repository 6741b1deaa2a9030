const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const servers = new Set<number>();

/**
 * Makes sure that a process which ends without `stop` takes its server with it: when it exits,
 * say after an uncaught error, and when a signal ends it that nobody handles, as during its
 * start. Only SIGKILL leaves the server running, and the next start takes that over.
 */
export function endWithUs(pid: number, ended: Promise<unknown>): void {
  if (servers.size === 0) listen();
  servers.add(pid);
  void ended.finally(() => {
    servers.delete(pid);
    if (servers.size === 0) unlisten();
  });
}

/** Sends a signal to a process, if it still runs. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

function stopServers(): void {
  for (const pid of servers) sendSignal(pid, 'SIGINT');
}

/** Does what the system would have done without our listener, after telling the servers. */
function onSignal(signal: NodeJS.Signals): void {
  const othersHandleIt = process.listenerCount(signal) > 1;
  if (othersHandleIt) return;
  stopServers();
  unlisten();
  process.kill(process.pid, signal);
}

function listen(): void {
  process.on('exit', stopServers);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function unlisten(): void {
  process.removeListener('exit', stopServers);
  for (const signal of SIGNALS) process.removeListener(signal, onSignal);
}
