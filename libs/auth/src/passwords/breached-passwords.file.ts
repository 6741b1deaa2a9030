import { type FileHandle, open } from 'node:fs/promises';
import { BreachedPasswordsError } from '../errors/breached-passwords.error.js';
import { breachHashOf, BreachedPasswords } from './breached-passwords.js';

const HASH_CHARACTERS = 40;
/** More than two lines. */
const WINDOW_BYTES = 256;

/**
 * A file of breached passwords: SHA-1 hashes in upper-case hexadecimal, sorted, one a line, with
 * anything after a colon. Looked up where it lies, in a few dozen reads however large it is.
 */
export class FileBreachedPasswords extends BreachedPasswords {
  private handle: Promise<FileHandle> | undefined;

  constructor(private readonly path: string) {
    super();
  }

  /**
   * One that can be read now.
   * @throws BreachedPasswordsError
   */
  static async open(path: string): Promise<FileBreachedPasswords> {
    const list = new FileBreachedPasswords(path);
    try {
      await list.includes('');
      return list;
    } catch (error) {
      await list.close();
      throw new BreachedPasswordsError(path, error);
    }
  }

  async includes(password: string): Promise<boolean> {
    const wanted = breachHashOf(password);
    const file = await this.file();
    let low = 0;
    let { size: high } = await file.stat();
    // Somewhere in [low, high) begins the line of `wanted`, if there is one.
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const line = await firstLineFrom(file, middle);
      if (line === undefined || line.start >= high) {
        high = middle;
      } else if (line.hash === wanted) {
        return true;
      } else if (line.hash < wanted) {
        low = line.start + 1;
      } else {
        high = middle;
      }
    }
    return false;
  }

  override async close(): Promise<void> {
    const handle = this.handle;
    this.handle = undefined;
    await (await handle?.catch(() => undefined))?.close();
  }

  private async file(): Promise<FileHandle> {
    try {
      return await (this.handle ??= open(this.path, 'r'));
    } catch (error) {
      // It may be there the next time.
      this.handle = undefined;
      throw error;
    }
  }
}

/** The first line that begins at `offset` or after it. */
async function firstLineFrom(
  file: FileHandle,
  offset: number,
): Promise<{ readonly start: number; readonly hash: string } | undefined> {
  // A line begins at 0, or after a line feed.
  const from = Math.max(0, offset - 1);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(WINDOW_BYTES), 0, WINDOW_BYTES, from);
  const text = buffer.toString('latin1', 0, bytesRead);
  const begin = offset === 0 ? 0 : text.indexOf('\n') + 1;
  if (offset !== 0 && begin === 0) return undefined;
  const hash = text.slice(begin, begin + HASH_CHARACTERS);
  return hash.length < HASH_CHARACTERS ? undefined : { start: from + begin, hash };
}
