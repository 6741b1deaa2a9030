import { readFile } from 'node:fs/promises';

const UNKNOWN = 'unknown';

/**
 * Tells a process from a later one with the same id: the boot and the tick in which it started
 * on Linux, `unknown` where the system does not say. Undefined when no such process runs; a
 * zombie counts as gone, because in a container nobody may ever reap it.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (!exists(pid)) return undefined;
  try {
    const [stat, bootId] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // The second field is the name in parentheses and may hold anything, also parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${bootId.trim()}:${fields[19]}`;
  } catch {
    return exists(pid) ? UNKNOWN : undefined;
  }
}

/** Whether the process that was `recorded` under this id is the one that runs now. */
export async function isStillRunning(pid: number, recorded: string): Promise<boolean> {
  const current = await processIdentity(pid);
  if (current === undefined) return false;
  return current === recorded || current === UNKNOWN || recorded === UNKNOWN;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
