import { statfs } from 'node:fs/promises';
import type { Connection } from '../connection/connection.js';

/**
 * Free bytes where the server keeps its data. Known only when the server is on this machine and
 * tells its folder, which it does to members of pg_read_all_settings.
 */
export async function diskFreeBytes(connection: Connection): Promise<number | undefined> {
  const [row] = await connection.query<{ folder: string | null; isLocal: boolean }>(`
    SELECT (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS folder,
      inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8'
        OR inet_server_addr() = '::1' AS "isLocal"`);
  if (row?.isLocal !== true || row.folder === null) return undefined;
  try {
    const { bavail, bsize } = await statfs(row.folder);
    return bavail * bsize;
  } catch {
    // In another container, or not for this user to see.
    return undefined;
  }
}
