import { describeAccessControl } from '../testing/access-control.contract.js';
import { GrantAccessControl } from './grant-access-control.js';

describeAccessControl('GrantAccessControl', () => new GrantAccessControl());
