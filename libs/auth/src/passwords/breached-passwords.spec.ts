import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileBreachedPasswords } from './breached-passwords.file.js';
import { breachHashOf } from './breached-passwords.js';
import { RangeBreachedPasswords } from './breached-passwords.range.js';

const KNOWN = Array.from({ length: 1_000 }, (_, index) => `known-${index}`);
const LINES = KNOWN.map((password, index) => `${breachHashOf(password)}:${index + 1}`).sort();

describe('FileBreachedPasswords', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breached-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['line feeds', '\n', ''],
    ['carriage returns and an end of file without one', '\r\n', '\r\n'],
  ])('finds each password of a file with %s, and no other', async (_, separator, end) => {
    const path = join(folder, `list-${separator.length}`);
    await writeFile(path, LINES.join(separator) + end);
    const list = new FileBreachedPasswords(path);
    const found = await Promise.all(KNOWN.map((password) => list.includes(password)));
    expect(found.every(Boolean)).toBe(true);
    const others = await Promise.all(KNOWN.map((password) => list.includes(`${password}x`)));
    expect(others.some(Boolean)).toBe(false);
    await list.close();
    await list.close();
  });

  it('finds nothing in an empty file', async () => {
    const path = join(folder, 'empty');
    await writeFile(path, '');
    const list = new FileBreachedPasswords(path);
    await expect(list.includes('known-1')).resolves.toBe(false);
    await list.close();
  });

  it('looks again for a file that was not there', async () => {
    const path = join(folder, 'late');
    const list = new FileBreachedPasswords(path);
    await expect(list.includes('known-1')).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(path, LINES.join('\n'));
    await expect(list.includes('known-1')).resolves.toBe(true);
    await list.close();
  });

  it('is refused at the start when it is no file that can be read', async () => {
    for (const path of [join(folder, 'none'), folder]) {
      await expect(FileBreachedPasswords.open(path)).rejects.toMatchObject({
        code: 'AUTH_BREACHED_PASSWORDS_UNREADABLE',
        message: expect.stringContaining(`${path} cannot be read`),
      });
    }
  });
});

describe('RangeBreachedPasswords', () => {
  it('tells the service five digits of the hash, and compares the rest itself', async () => {
    const asked: string[] = [];
    const service = new RangeBreachedPasswords((prefix) => {
      asked.push(prefix);
      return Promise.resolve(
        LINES.filter((line) => line.startsWith(prefix))
          .map((line) => line.slice(5))
          .concat('0'.repeat(35) + ':0')
          .join('\r\n'),
      );
    });
    await expect(service.includes('known-7')).resolves.toBe(true);
    await expect(service.includes('unknown')).resolves.toBe(false);
    expect(asked.every((prefix) => /^[0-9A-F]{5}$/.test(prefix))).toBe(true);
  });

  it('takes an entry that was seen 0 times for padding', async () => {
    const padded = new RangeBreachedPasswords(() =>
      Promise.resolve(`${breachHashOf('known-7').slice(5)}:0`),
    );
    await expect(padded.includes('known-7')).resolves.toBe(false);
  });
});
