import { databaseParts } from './apps/shared/src/database-parts.js';
import { loadSettings } from './apps/shared/src/load-settings.js';
import { createDataSource, persistenceSettings } from '#libs/persistence';

const { store } = await loadSettings();
const settings = store.get(persistenceSettings);

/** The data source of TypeORM's own command line; `DATABASE_URL` says which database. */
export default createDataSource(settings.url ?? '', settings, databaseParts, 'pantheon-typeorm');
