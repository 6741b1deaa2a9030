import { readdirSync, readFileSync } from 'node:fs';

const NS_PER_MS = 1_000_000;

/** CPU time of this process so far, in ms. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** CPU time so far of a server process and its children that live, in ms; null where /proc is not. */
export function serverCpuMs(pid: number | undefined): number | null {
  if (pid === undefined || process.platform !== 'linux') return null;
  let totalNs = runTimeNs(String(pid));
  for (const entry of readdirSync('/proc')) {
    if (/^\d+$/.test(entry) && parentOf(entry) === pid) totalNs += runTimeNs(entry);
  }
  return totalNs / NS_PER_MS;
}

function runTimeNs(pid: string): number {
  return Number(read(`/proc/${pid}/schedstat`).split(' ')[0]);
}

function parentOf(pid: string): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
