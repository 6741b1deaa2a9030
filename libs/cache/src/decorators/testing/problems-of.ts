import { expect } from '@jest/globals';
import type { Type } from '@nestjs/common';
import { isError } from '#libs/core';
import { start } from './boot.js';

/** What is wrong with the decorators of these classes; nothing when the application boots. */
export async function problemsOf(parts: {
  providers?: Type[];
  controllers?: Type[];
}): Promise<readonly string[]> {
  try {
    await start(parts);
    return [];
  } catch (error) {
    if (!isError(error) || !('problems' in error)) throw error;
    expect(error).toMatchObject({ code: 'CACHE_DECORATOR_INVALID' });
    return error.problems as readonly string[];
  }
}
