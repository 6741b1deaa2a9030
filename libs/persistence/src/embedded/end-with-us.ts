const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const servers = new Set<number>();
let starting = 0;

/** A server that has just been started, or was running already. */
export interface StartedServer {
  /** Undefined when it could not be run. */
  readonly pid: number | undefined;
  /** Settles when it has ended. */
  readonly ended: Promise<string>;
}

/**
 * Makes sure that a process which ends without `stop` takes its server with it: when it exits,
 * say after an uncaught error, and when a signal ends it that nobody handles, as during its
 * start. Only SIGKILL leaves the server running, and the next start takes that over.
 *
 * `start` is called when the signals are listened to already: one that came between the start of
 * the server and the listening would end us alone.
 */
export function endWithUs<Server extends StartedServer>(start: () => Server): Server {
  if (starting === 0 && servers.size === 0) listen();
  starting += 1;
  let server: Server | undefined;
  try {
    server = start();
    return server;
  } finally {
    starting -= 1;
    if (server?.pid === undefined) unlistenIfIdle();
    else keep(server.pid, server.ended);
  }
}

function keep(pid: number, ended: Promise<string>): void {
  servers.add(pid);
  void ended.finally(() => {
    servers.delete(pid);
    unlistenIfIdle();
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

function unlistenIfIdle(): void {
  if (starting === 0 && servers.size === 0) unlisten();
}

function unlisten(): void {
  process.removeListener('exit', stopServers);
  for (const signal of SIGNALS) process.removeListener(signal, onSignal);
}
