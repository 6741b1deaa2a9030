import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface SeenProcess {
  readonly pid: number;
  readonly group: number;
  readonly command: string;
  /** Where it works, as far as we may know. */
  readonly folder: string;
}

/** Every process that runs now; a zombie does not. */
export function listProcesses(): SeenProcess[] {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

/** The processes that work in `folder`, name it, or are in one of the process `groups`. */
export function processesOf(folder: string, groups: readonly number[] = []): SeenProcess[] {
  return listProcesses().filter(
    (seen) =>
      seen.pid !== process.pid &&
      (seen.command.includes(folder) ||
        seen.folder.startsWith(folder) ||
        groups.includes(seen.group)),
  );
}

/** Kills without warning whatever belongs to `folder` or to one of the process `groups`. */
export function killAllOf(folder: string, groups: readonly number[] = []): void {
  for (const { pid } of processesOf(folder, groups)) {
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
        const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (state === 'Z' || state === 'X') return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return [{ pid: Number(name), group: Number(group), command, folder: folderOf(name) }];
      } catch {
        return [];
      }
    });
}

function folderOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

function fromPs(): SeenProcess[] {
  const text = execFileSync('ps', ['-Aww', '-o', 'pid=,pgid=,stat=,command='], {
    encoding: 'utf8',
  });
  return text.split('\n').flatMap((line) => {
    const [, pid, group, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (command === undefined || state?.startsWith('Z') === true) return [];
    return [{ pid: Number(pid), group: Number(group), command, folder: '' }];
  });
}
