import { readdir, readFile } from 'node:fs/promises';
import { FiguresUnavailableError } from '../collectors.js';

/** Bytes that this process read from and wrote to disks, not counting the page cache. */
export interface DiskTotals {
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Bytes of all network interfaces but the loopback, as this process's network sees them. */
export interface NetworkTotals {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** @throws FiguresUnavailableError elsewhere than on Linux */
export async function readDiskTotals(): Promise<DiskTotals> {
  const text = await readProc('/proc/self/io');
  const value = (name: string): number =>
    Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1]);
  return { readBytes: value('read_bytes'), writtenBytes: value('write_bytes') };
}

/** @throws FiguresUnavailableError elsewhere than on Linux */
export async function readNetworkTotals(): Promise<NetworkTotals> {
  const text = await readProc('/proc/net/dev');
  let receivedBytes = 0;
  let sentBytes = 0;
  for (const line of text.split('\n').slice(2)) {
    const [name = '', numbers = ''] = line.split(':');
    if (numbers === '' || name.trim() === 'lo') continue;
    const columns = numbers.trim().split(/\s+/).map(Number);
    receivedBytes += columns[RECEIVED_BYTES] ?? 0;
    sentBytes += columns[SENT_BYTES] ?? 0;
  }
  return { receivedBytes, sentBytes };
}

/** Open files and sockets of this process. @throws FiguresUnavailableError */
export async function countOpenFiles(): Promise<number> {
  try {
    // The folder that is read is one of them.
    return (await readdir('/proc/self/fd')).length - 1;
  } catch {
    throw notHere();
  }
}

const RECEIVED_BYTES = 0;
const SENT_BYTES = 8;

async function readProc(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw notHere();
  }
}

function notHere(): FiguresUnavailableError {
  return new FiguresUnavailableError(
    process.platform === 'linux'
      ? 'This process may not read it from /proc'
      : 'Only Linux tells it, in /proc',
  );
}
