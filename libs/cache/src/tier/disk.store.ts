import { randomBytes } from 'node:crypto';
import {
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#libs/core';

export interface DiskStoreOptions {
  /** Made when it is needed. Processes of one machine may share it. */
  readonly directory: string;
  /** Bytes of all files; the oldest of some folders leave beyond it. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

const FOLDER_NAMES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const TEMPORARY = '.new';
/** Ends the names of files that say something of another one: no items, and not removed for room. */
export const MARK = '.f';
/** A file that was never finished is removed after this time. */
const ABANDONED_MS = 3_600_000;
/** What is left after room was made, as a part of the bound. */
const ROOM = 0.9;
export const EXPIRY_BYTES = 8;

/**
 * Files under hashed names in 256 folders, each with the time of its end in front. A file is written
 * under another name and renamed, so that nobody sees half of it. The bound on bytes is kept by each
 * process for what it knows: it counts what lies there when it starts and at each sweep.
 */
export class DiskStore {
  private readonly directory: string;
  private readonly clock: Clock;
  private readonly locks = new Map<string, Promise<unknown>>();
  private readonly folders = new Set<string>();
  private bytes = 0;
  private items = 0;
  private counted: Promise<unknown> | undefined;
  private making: Promise<void> | undefined;

  constructor(private readonly options: DiskStoreOptions) {
    this.directory = options.directory;
    this.clock = options.clock;
  }

  get usage(): { readonly items: number; readonly bytes: number; readonly maxBytes: number } {
    return { items: this.items, bytes: this.bytes, maxBytes: this.options.maxBytes };
  }

  /** The content, unless it has ended or is not there. */
  async read(name: string): Promise<Buffer | undefined> {
    const file = await readFile(this.path(name)).catch(absent);
    if (file === undefined || file.length < EXPIRY_BYTES) return undefined;
    return file.readDoubleLE(0) > this.clock.nowMs() ? file.subarray(EXPIRY_BYTES) : undefined;
  }

  /** Replaces the content. To be called within `exclusively`. */
  async write(name: string, content: readonly Buffer[], expiresMs: number): Promise<void> {
    await this.count();
    const expiry = Buffer.alloc(EXPIRY_BYTES);
    expiry.writeDoubleLE(expiresMs, 0);
    const file = Buffer.concat([expiry, ...content]);
    const path = this.path(name);
    await this.ensureFolder(name.slice(0, 2));
    const temporary = `${path}.${randomBytes(6).toString('hex')}${TEMPORARY}`;
    const before = await sizeOf(path);
    try {
      await writeFile(temporary, file, { mode: 0o600 });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      this.folders.clear();
      throw error;
    }
    this.add(file.length - (before ?? 0), before === undefined ? itemsIn(name) : 0);
    if (this.bytes > this.options.maxBytes) {
      this.making ??= this.makeRoom().finally(() => {
        this.making = undefined;
      });
      await this.making;
    }
  }

  /** Whether there was such a file. To be called within `exclusively`. */
  async remove(name: string): Promise<boolean> {
    await this.count();
    const path = this.path(name);
    const bytes = await sizeOf(path);
    if (bytes === undefined) return false;
    await unlink(path).catch(absent);
    this.add(-bytes, -itemsIn(name));
    return true;
  }

  /** Runs one piece of work on a name after the other, within this process. */
  exclusively<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.locks.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.locks.set(name, mine);
    const release = (): void => {
      if (this.locks.get(name) === mine) this.locks.delete(name);
    };
    mine.then(release, release);
    return mine;
  }

  /** Removes every file that is of this store; what else lies in the directory stays. */
  async clear(): Promise<void> {
    for (const folder of FOLDER_NAMES) {
      await rm(join(this.directory, folder), { recursive: true, force: true });
    }
    this.folders.clear();
    this.bytes = 0;
    this.items = 0;
  }

  /** Removes what has ended, and counts anew what is left; the number of the removed. */
  async sweep(): Promise<number> {
    let removed = 0;
    let bytes = 0;
    let items = 0;
    for (const folder of FOLDER_NAMES) {
      for (const { path, size, isOver } of await this.filesOf(folder)) {
        if (isOver) {
          await unlink(path).catch(absent);
          removed += itemsIn(path);
        } else {
          bytes += size;
          items += itemsIn(path);
        }
      }
    }
    this.bytes = bytes;
    this.items = items;
    return removed;
  }

  private count(): Promise<unknown> {
    this.counted ??= this.sweep().catch((error: unknown) => {
      // The directory may become readable.
      this.counted = undefined;
      throw error;
    });
    return this.counted;
  }

  /** The oldest half of folders taken at random goes until there is room. */
  private async makeRoom(): Promise<void> {
    const aim = this.options.maxBytes * ROOM;
    for (let tries = 0; this.bytes > aim && tries < 4 * FOLDER_NAMES.length; tries += 1) {
      const folder = FOLDER_NAMES[Math.floor(Math.random() * FOLDER_NAMES.length)] as string;
      const files = (await this.filesOf(folder))
        .filter(({ path }) => itemsIn(path) > 0)
        .sort((a, b) => a.writtenMs - b.writtenMs);
      for (const { path, size } of files.slice(0, Math.ceil(files.length / 2))) {
        await unlink(path).catch(absent);
        this.add(-size, -1);
      }
    }
  }

  private async filesOf(folder: string) {
    const path = join(this.directory, folder);
    const names = (await readdir(path).catch(absent)) ?? [];
    const files: { path: string; size: number; writtenMs: number; isOver: boolean }[] = [];
    for (const name of names) {
      const file = join(path, name);
      const status = await stat(file).catch(absent);
      if (status === undefined) continue;
      const { size, mtimeMs: writtenMs } = status;
      const isOver = name.endsWith(TEMPORARY)
        ? writtenMs < Date.now() - ABANDONED_MS
        : !((await expiryOf(file)) > this.clock.nowMs());
      files.push({ path: file, size, writtenMs, isOver });
    }
    return files;
  }

  private add(bytes: number, items: number): void {
    this.bytes = Math.max(0, this.bytes + bytes);
    this.items = Math.max(0, this.items + items);
  }

  private async ensureFolder(folder: string): Promise<void> {
    if (this.folders.has(folder)) return;
    // Parents belong to others too; what is ours is nobody else's to read.
    await mkdir(this.directory, { recursive: true });
    await mkdir(join(this.directory, folder), { recursive: true, mode: 0o700 });
    this.folders.add(folder);
  }

  private path(name: string): string {
    return join(this.directory, name.slice(0, 2), name.slice(2));
  }
}

function itemsIn(path: string): number {
  return path.endsWith(MARK) ? 0 : 1;
}

/** What another process has removed meanwhile, or nobody has written, is no fault. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(absent))?.size;
}

/** Not a number for a file that is too short. */
async function expiryOf(path: string): Promise<number> {
  const file = await open(path).catch(absent);
  if (file === undefined) return Number.NaN;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(EXPIRY_BYTES), 0, EXPIRY_BYTES, 0);
    return bytesRead === EXPIRY_BYTES ? buffer.readDoubleLE(0) : Number.NaN;
  } finally {
    await file.close();
  }
}
