import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isError, messageOf } from '#libs/core';
import { SettingsInvalidError } from './errors/settings-invalid.error.js';
import type { SettingsStore, SettingsTree } from './settings.store.js';

/**
 * Reads a configuration file: JSON, an object of sections. A file that does not exist is empty.
 * @throws SettingsInvalidError when it cannot be read or is no such JSON
 */
export async function readSettingsFile(path: string): Promise<SettingsTree> {
  try {
    const tree: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (!isTree(tree)) throw new TypeError('must hold an object of sections');
    return tree;
  } catch (error) {
    if (isMissing(error)) return {};
    throw new SettingsInvalidError([{ path, code: 'file_invalid', message: messageOf(error) }]);
  }
}

const DEBOUNCE_MS = 50;

/**
 * Puts each new version of a configuration file in force while the process runs. A version that
 * is invalid is reported to `onRejected` and changes nothing.
 */
export class SettingsFileWatcher {
  private readonly watcher: FSWatcher;
  private timer: NodeJS.Timeout | undefined;
  private reloading: Promise<void> = Promise.resolve();

  constructor(
    private readonly path: string,
    private readonly store: SettingsStore,
    private readonly onRejected: (error: unknown) => void,
  ) {
    // The folder is watched, not the file: editors and ConfigMaps replace the file by renaming.
    this.watcher = watch(dirname(path), { persistent: false }, (_, changed) => {
      if (changed === null || changed === basename(path) || changed.startsWith('..'))
        this.schedule();
    });
    this.watcher.on('error', onRejected);
  }

  /** Stops watching and waits for a reload under way. May be called twice. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.watcher.close();
    await this.reloading;
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.reloading = this.reload();
    }, DEBOUNCE_MS).unref();
  }

  private async reload(): Promise<void> {
    try {
      this.store.replaceLayers({ file: await readSettingsFile(this.path) });
    } catch (error) {
      this.onRejected(error);
    }
  }
}

function isTree(value: unknown): value is SettingsTree {
  return isObject(value) && Object.values(value).every(isObject);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMissing(error: unknown): boolean {
  return isError(error) && 'code' in error && error.code === 'ENOENT';
}
