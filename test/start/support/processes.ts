import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface SeenProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
}

/** Every process that runs now; a zombie does not. */
export function listProcesses(): SeenProcess[] {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

/** The processes whose command line names `text`, say a folder, and all that descend from them. */
export function processesOf(text: string): SeenProcess[] {
  const all = listProcesses().filter(({ pid }) => pid !== process.pid);
  const found = new Map(
    all.filter(({ command }) => command.includes(text)).map((seen) => [seen.pid, seen]),
  );
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const seen of all) if (found.has(seen.parentPid)) found.set(seen.pid, seen);
  }
  return [...found.values()];
}

/** Kills without warning whatever belongs to `text`. */
export function killAllOf(text: string): void {
  for (const { pid } of processesOf(text)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

function fromProc(): SeenProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (state === 'Z' || state === 'X') return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return [{ pid: Number(name), parentPid: Number(parent), command }];
      } catch {
        return [];
      }
    });
}

function fromPs(): SeenProcess[] {
  const text = execFileSync('ps', ['-Aww', '-o', 'pid=,ppid=,stat=,command='], {
    encoding: 'utf8',
  });
  return text.split('\n').flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (command === undefined || state?.startsWith('Z') === true) return [];
    return [{ pid: Number(pid), parentPid: Number(parent), command }];
  });
}
