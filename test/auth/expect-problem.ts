import { expect } from '@jest/globals';
import type { TestAnswer } from '../support/app.js';

/** An error as RFC 9457 has it, with this status and code. */
export function expectProblem(answer: TestAnswer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.body?.code }).toEqual({ status, code });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
}
