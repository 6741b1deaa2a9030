import { describe, expect, it } from '@jest/globals';
import { redactParameters, redactPlan } from './redact-parameters.js';

const id = '0190a3b0-7c5e-7abc-8def-0123456789ab';

describe('the parameters of a query as they are shown', () => {
  it.each([
    ['numbers and truth values', 'SELECT $1, $2', [7, true], [7, true]],
    ['ids', 'SELECT * FROM a WHERE id = $1', [id], [id]],
    ['times', 'SELECT $1', [new Date(0)], ['1970-01-01T00:00:00.000Z']],
    ['texts by their length', 'SELECT * FROM a WHERE name = $1', ['Ada Lovelace'], ['text of 12']],
    ['lists by their length', 'SELECT * FROM a WHERE id = ANY($1)', [[1, 2]], ['list of 2']],
    ['bytes by their length', 'SELECT $1', [Buffer.alloc(3)], ['bytes of 3']],
    ['nothing', 'SELECT $1', [null], [null]],
    ['secrets as a mask', 'SELECT * FROM a WHERE "token_hash" = $1', [id], ['***']],
    ['numbers of secret columns', 'UPDATE a SET pin = $2 WHERE id = $1', [1, 1234], [1, '***']],
    [
      'secrets that are stored',
      'INSERT INTO "user" ("id", "password_hash", "age") VALUES ($1, $2, $3)',
      [1, 42, 30],
      [1, '***', 30],
    ],
  ])('are %s', (_, text, values, shown) => {
    expect(redactParameters(text, values)).toEqual(shown);
  });
});

describe('a plan as it is shown', () => {
  it('has no literals', () => {
    const plan = [{ Plan: { Filter: "(email = 'a''b@c.example'::text)", 'Total Cost': 8.3 } }];
    expect(redactPlan(plan)).toEqual([
      { Plan: { Filter: "(email = '***'::text)", 'Total Cost': 8.3 } },
    ]);
  });
});
