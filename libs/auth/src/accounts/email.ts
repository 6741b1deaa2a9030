import { z } from 'zod';

/** An email address as the name of an account: lower case, so that case never makes two of one. */
export const emailSchema = z.email().max(254).toLowerCase();
