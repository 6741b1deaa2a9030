import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CgroupReader } from './cgroup-memory.js';

const MACHINE = 1e12;
const UNLIMITED = '9223372036854771712\n';

let mount: string;

beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), 'cgroup-'));
});
afterEach(() => rmSync(mount, { recursive: true, force: true }));

function put(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(mount, name)), { recursive: true });
    writeFileSync(join(mount, name), text);
  }
}

const find = () => CgroupReader.find(MACHINE, { membership: join(mount, 'membership'), mount });

describe('the cgroups of a process', () => {
  it('are read in version 2, each that bounds it, without the file cache at rest', async () => {
    put({
      membership: '0::/pod/container\n',
      'pod/container/memory.max': '500\n',
      'pod/container/memory.high': 'max\n',
      'pod/container/memory.current': '300\n',
      'pod/container/memory.stat': 'anon 200\ninactive_file 40\nactive_file 60\n',
      'pod/memory.max': 'max\n',
      'pod/memory.high': '900\n',
      'pod/memory.current': '700\n',
      'pod/memory.stat': 'inactive_file 0\n',
    });
    expect(await (await find()).read()).toEqual([
      { limitBytes: 500, usedBytes: 260 },
      { limitBytes: 900, usedBytes: 700 },
    ]);
  });

  it('are read in version 1, in a container whose own group is the mount', async () => {
    put({
      membership: '5:cpu:/docker/abc\n4:memory:/docker/abc\n0::/\n',
      'memory/memory.limit_in_bytes': '1000\n',
      'memory/memory.usage_in_bytes': '600\n',
      'memory/memory.stat': 'inactive_file 5\ntotal_inactive_file 100\n',
    });
    expect(await (await find()).read()).toEqual([{ limitBytes: 1000, usedBytes: 500 }]);
  });

  it('do not count without a limit, or where there are none', async () => {
    put({ membership: '4:memory:/a\n', 'memory/a/memory.limit_in_bytes': UNLIMITED });
    expect((await find()).isLimited).toBe(false);
    rmSync(join(mount, 'membership'));
    expect((await find()).isLimited).toBe(false);
  });

  it('may change their limits', async () => {
    put({
      membership: '0::/\n',
      'memory.max': '500\n',
      'memory.current': '300\n',
      'memory.stat': '',
    });
    const reader = await find();
    put({ 'memory.max': '400\n' });
    expect(await reader.read()).toEqual([{ limitBytes: 400, usedBytes: 300 }]);
    put({ 'memory.max': 'max\n' });
    expect(await reader.read()).toEqual([]);
  });
});
