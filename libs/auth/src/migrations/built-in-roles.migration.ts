import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The roles that every organization has from the start. The resource paths are those that
 * domain.md and the libs use; a lib that brings new ones extends these roles in a migration of
 * its own.
 */
export class BuiltInRoles1790000001002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      INSERT INTO role (id, organization_id, name, description) VALUES
        ('01900000-0000-7000-8000-000000000001', NULL, 'admin',
         'Everything, the operation of the platform included'),
        ('01900000-0000-7000-8000-000000000002', NULL, 'owner',
         'Everything inside the own organization'),
        ('01900000-0000-7000-8000-000000000003', NULL, 'member',
         'Reads and writes sources and memories of the own organization');

      INSERT INTO permission_grant (id, role_id, resource, action, effect)
      SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(256 + row_number() OVER ()), 12, '0'))::uuid,
             role.id, given.resource, given.action, 'allow'
      FROM (VALUES
        ('admin', '*', '*'),
        ('owner', 'source', '*'),
        ('owner', 'source:*', '*'),
        ('owner', 'context', '*'),
        ('owner', 'memory', '*'),
        ('owner', 'memory:*', '*'),
        ('owner', 'auth:users', '*'),
        ('owner', 'auth:roles', '*'),
        ('member', 'source', 'create'),
        ('member', 'source', 'read'),
        ('member', 'source:*', 'read'),
        ('member', 'source:*', 'write'),
        ('member', 'context', 'compile'),
        ('member', 'memory', 'read'),
        ('member', 'memory', 'write')
      ) AS given (role_name, resource, action)
      JOIN role ON role.name = given.role_name AND role.organization_id IS NULL;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DELETE FROM role WHERE organization_id IS NULL');
  }
}
