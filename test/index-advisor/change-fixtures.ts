import type { IndexChange } from '#libs/index-advisor';

/** The change of the tests. */
export const CHANGE: IndexChange = {
  id: '0190b5a0-0000-7000-8000-000000000001',
  index: {
    schema: 'public',
    table: 'parcel',
    method: 'btree',
    keys: [{ column: 'receiver' }, { column: 'sent_at', direction: 'desc' }],
  },
  expectedBytes: 1_000_000,
};
