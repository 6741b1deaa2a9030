import { describe, expect, it } from '@jest/globals';
import { SuccessorPredictor } from './successor-predictor.js';

function observe(predictor: SuccessorPredictor, client: string, keys: string, atMs = 0): void {
  for (const key of keys) predictor.observe(client, key, atMs);
}

const likely = (predictor: SuccessorPredictor, key: string, least = 0.5): string[] =>
  predictor
    .predict(key)
    .filter(({ confidence }) => confidence >= least)
    .map((prediction) => prediction.key);

describe('SuccessorPredictor', () => {
  it('learns what follows a key, the likelier first', () => {
    const predictor = new SuccessorPredictor({ lookAhead: 1 });
    for (let session = 0; session < 20; session += 1) {
      observe(predictor, 'ada', session % 4 === 0 ? 'ac' : 'ab');
    }
    const [first, second] = predictor.predict('a');
    expect(first).toMatchObject({ key: 'b', confidence: 15 / 21, support: 20 });
    expect(second).toMatchObject({ key: 'c', confidence: 5 / 21 });
  });

  it('sees through an order that changes, within the reads it looks ahead', () => {
    const predictor = new SuccessorPredictor();
    for (let session = 0; session < 10; session += 1) {
      observe(predictor, `client ${session}`, session % 2 === 0 ? 'axyz' : 'azyx');
    }
    expect(likely(predictor, 'a').sort()).toEqual(['x', 'y', 'z']);
  });

  it('keeps the reads of clients apart', () => {
    const predictor = new SuccessorPredictor();
    for (let round = 0; round < 10; round += 1) {
      predictor.observe(`ada ${round}`, 'a', 0);
      predictor.observe(`bob ${round}`, 'x', 0);
      predictor.observe(`ada ${round}`, 'b', 0);
      predictor.observe(`bob ${round}`, 'y', 0);
    }
    expect(likely(predictor, 'a')).toEqual(['b']);
    expect(likely(predictor, 'x')).toEqual(['y']);
  });

  it('does not join reads with a long pause between them', () => {
    const predictor = new SuccessorPredictor({ sessionGapMs: 1_000 });
    for (let round = 0; round < 10; round += 1) {
      predictor.observe('ada', 'a', round * 10_000);
      predictor.observe('ada', 'b', round * 10_000 + 5_000);
    }
    expect(predictor.predict('a')).toEqual([]);
  });

  it('counts a key once for each read that it follows, so no confidence passes 1', () => {
    const predictor = new SuccessorPredictor();
    observe(predictor, 'ada', 'ababababababab');
    for (const key of ['a', 'b']) {
      for (const { confidence } of predictor.predict(key))
        expect(confidence).toBeLessThanOrEqual(1);
    }
    expect(likely(predictor, 'a')).toEqual(['b']);
  });

  it('follows a habit that changes', () => {
    const predictor = new SuccessorPredictor({ lookAhead: 1 });
    for (let round = 0; round < 500; round += 1) observe(predictor, 'ada', 'ab');
    for (let round = 0; round < 100; round += 1) observe(predictor, 'ada', 'ac');
    expect(predictor.predict('a')[0]?.key).toBe('c');
  });

  it('is not certain after one observation', () => {
    const predictor = new SuccessorPredictor();
    observe(predictor, 'ada', 'ab');
    expect(predictor.predict('a')).toEqual([{ key: 'b', confidence: 0.5, support: 1 }]);
  });

  it('stays within its bounds whatever it sees', () => {
    const predictor = new SuccessorPredictor({ maxKeys: 50, maxClients: 10, fanOut: 3 });
    for (let read = 0; read < 10_000; read += 1) {
      predictor.observe(`client ${read % 37}`, `key ${(read * 7_919) % 1_009}`, read);
    }
    const rows = predictor.strongest(1_000);
    expect(rows.length).toBeLessThanOrEqual(50);
    for (const { successors } of rows) expect(successors.length).toBeLessThanOrEqual(3);
  });
});
