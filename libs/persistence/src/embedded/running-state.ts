import type { DataFolder } from './data-folder.js';
import { readIfPresent, writePrivateFile } from './private-file.js';

/** How to reach a running server, and with what settings it was started. */
export interface RunningState {
  readonly pid: number;
  readonly url: string;
  /** Changes when the server would be started differently today. */
  readonly fingerprint: string;
}

export async function writeState(folder: DataFolder, state: RunningState): Promise<void> {
  await writePrivateFile(folder.state, `${JSON.stringify(state)}\n`, folder.owner);
}

/** The last state written; undefined when there is none that can be read as such. */
export async function readState(folder: DataFolder): Promise<RunningState | undefined> {
  const text = await readIfPresent(folder.state);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as RunningState);
  } catch {
    return undefined;
  }
}
