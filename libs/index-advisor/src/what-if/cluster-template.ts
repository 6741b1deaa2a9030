import { cp, rename, stat } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { pgliteVersion } from './pglite-files.js';
import { PlanningSession } from './planning-session.js';
import { createOwnedFolder, removeFolder } from './private-folder.js';

/** How text sorts in a cluster; the planner only asks whether it is by bytes. */
export type ClusterLocale = 'C' | 'en_US.UTF-8';

/**
 * Fills `dataDir` with an empty cluster. Creating one takes seconds of CPU, so a template is kept
 * in the work folder, which holds nothing of any database.
 */
export async function createCluster(
  workFolder: string,
  dataDir: string,
  locale: ClusterLocale,
): Promise<void> {
  const template = join(workFolder, `template-${await pgliteVersion()}-${locale}`);
  if (!(await exists(template))) await createTemplate(workFolder, template, locale);
  await cp(template, dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

async function createTemplate(
  workFolder: string,
  template: string,
  locale: ClusterLocale,
): Promise<void> {
  const folder = await createOwnedFolder(workFolder);
  try {
    const dataDir = join(folder, 'data');
    const session = await PlanningSession.open({
      dataDir,
      // Pages are written here without checksums, and little is ever logged.
      initArguments: [`--locale=${locale}`, '--no-data-checksums', '--wal-segsize=1'],
      requestTimeoutMs: 180_000,
    });
    await session.close();
    await rename(dataDir, template);
  } catch (error) {
    // Another process may have been quicker, which is as good.
    if (!(await exists(template))) throw error;
  } finally {
    await removeFolder(folder);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
