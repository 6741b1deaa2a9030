/** Ids of the roles that every installation has; migrations write them. */
export const BUILT_IN_ROLE_IDS = {
  admin: '01900000-0000-7000-8000-000000000001',
  owner: '01900000-0000-7000-8000-000000000002',
  member: '01900000-0000-7000-8000-000000000003',
} as const;

export type BuiltInRole = keyof typeof BUILT_IN_ROLE_IDS;
