import { describe, expect, it } from '@jest/globals';
import { contextWarnings, type ContextWarning } from '../events.js';
import {
  adapterOf,
  contents,
  manager,
  minute,
  remarks,
  source,
} from '../testing/sample-managers.js';

describe('compile', () => {
  it('keeps the caller’s question among the texts when there are many recent entries', async () => {
    const asked: (readonly string[])[] = [];
    const docs = await manager(
      'docs',
      remarks(20, (index) => `Remark ${index}`),
    );
    const find = docs.getMostRelevant.bind(docs);
    docs.getMostRelevant = (texts, limit, where) => {
      asked.push(texts);
      return find(texts, limit, where);
    };
    const texts = ['What of zebras?'];
    await adapterOf([docs]).compile({ sources: [source('docs')], texts });
    await adapterOf([docs]).compile({
      sources: [source('docs')],
      texts: ['1', '2', '3', '4', '5', '6'],
    });
    expect(asked[0]).toEqual([
      'What of zebras?',
      'Remark 19',
      'Remark 18',
      'Remark 17',
      'Remark 16',
    ]);
    expect(asked[1]).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('finds what fits the question among what is long past', async () => {
    const docs = await manager('docs', [
      { text: 'Zebras are striped', role: 'assistant', occurredAt: minute(-90_000) },
      ...remarks(200, (index) => `Remark ${index}`),
    ]);
    const messages = await adapterOf([docs]).compile({
      sources: [source('docs')],
      texts: ['Tell me of zebras'],
    });
    expect(contents(messages)[0]).toBe('Zebras are striped');
  });

  it.each([0, 1, 7, 20])('gives exactly as many messages as asked for: %d', async (limit) => {
    const managers = [
      await manager(
        'a',
        remarks(40, (index) => `Apple ${index}`),
      ),
      await manager(
        'b',
        remarks(40, (index) => `Pear ${index}`),
      ),
      await manager(
        'c',
        remarks(40, (index) => `Plum ${index}`),
      ),
    ];
    const messages = await adapterOf(managers).compile({
      sources: ['a', 'b', 'c'].map((id) => source(id)),
      texts: ['apple pear plum'],
      limit,
    });
    expect(messages).toHaveLength(limit);
  });

  it('has 20 messages, 10 recent entries and 5 texts by default', async () => {
    const limits: unknown[] = [];
    const docs = await manager(
      'docs',
      remarks(100, (index) => `Apple ${index}`),
    );
    const recent = docs.getMostRecent.bind(docs);
    docs.getMostRecent = (limit, filter) => {
      limits.push(limit);
      return recent(limit, filter);
    };
    const messages = await adapterOf([docs]).compile({
      sources: [source('docs')],
      texts: ['apple'],
    });
    expect(limits).toEqual([10]);
    expect(messages).toHaveLength(20);
  });

  it('puts the messages in the order of time, whatever their source', async () => {
    const a = await manager('a', [
      { text: 'one', role: 'assistant', occurredAt: minute(1) },
      { text: 'three', role: 'assistant', occurredAt: minute(3) },
    ]);
    const b = await manager('b', [{ text: 'two', role: 'assistant', occurredAt: minute(2) }]);
    const messages = await adapterOf([b, a]).compile({ sources: [source('a'), source('b')] });
    expect(contents(messages)).toEqual(['one', 'two', 'three']);
  });

  it('honours the conditions of each source in everything it reads', async () => {
    const entries = Array.from({ length: 30 }, (_, index) => ({
      text: `Apple ${index}`,
      role: 'assistant' as const,
      metadata: { even: index % 2 === 0 },
    }));
    const messages = await adapterOf([await manager('a', entries)]).compile({
      sources: [source('a', { even: true })],
      texts: ['apple'],
    });
    expect(messages).toHaveLength(15);
    for (const content of contents(messages)) expect(Number(content.slice(6)) % 2).toBe(0);
  });

  it('says a text once, and drops entries without text or metadata', async () => {
    const a = await manager('a', [
      { text: 'Same', role: 'assistant', occurredAt: minute(1) },
      { text: 'Same', role: 'assistant', occurredAt: minute(2) },
    ]);
    const odd = await manager('odd', []);
    const entry = { id: 'x', occurredAt: minute(3), metadata: {} };
    odd.getMostRecent = () =>
      Promise.resolve([
        { ...entry, text: null },
        { ...entry, id: 'y', text: 'No metadata', metadata: null },
        { ...entry, id: 'z', text: '' },
      ]);
    const messages = await adapterOf([a, odd]).compile({ sources: [source('a'), source('odd')] });
    expect(contents(messages)).toEqual(['Same']);
  });

  it('takes a source that fails for empty, with a warning', async () => {
    const good = await manager(
      'good',
      remarks(1, () => 'Still here'),
    );
    const bad = await manager('bad', []);
    bad.getMostRecent = () => Promise.reject(new Error('broken'));
    const warnings: ContextWarning[] = [];
    const stop = contextWarnings.subscribe((warning) => warnings.push(warning));
    const messages = await adapterOf([bad, good]).compile({
      sources: [source('good'), source('bad')],
    });
    stop();
    expect(contents(messages)).toEqual(['Still here']);
    expect(warnings).toEqual([
      {
        code: 'CONTEXT_SOURCE_FAILED',
        message: 'Source "bad" could not be read and counts as empty: broken',
        error: new Error('broken'),
      },
    ]);
  });

  it('tells entries with the given resolvers', async () => {
    const a = await manager('a', [{ text: 'Hi', metadata: { by: 'Zoe' }, occurredAt: minute(1) }]);
    const adapter = adapterOf([a], {
      resolveRole: () => 'user',
      resolveName: (metadata) => String(metadata['by']),
      formatTime: (epochMs) => `t${epochMs}`,
    });
    expect(await adapter.compile({ sources: [source('a')] })).toEqual([
      { role: 'user', content: `Zoe said (t${minute(1).getTime()}): Hi` },
    ]);
  });
});
