import { describe, expect, it } from '@jest/globals';
import { toMessage } from './message.js';

const TIME = '2026-05-01T12:00:00.000Z';

function tell(metadata: Record<string, unknown>, text = 'Hello') {
  return toMessage({ id: '1', text, occurredAt: new Date(TIME), metadata }, {});
}

describe('the message of an entry', () => {
  it.each([
    [{ role: 'user' }, 'user'],
    [{ role: 'assistant', type: 'user' }, 'assistant'],
    [{ type: 'user' }, 'user'],
    [{ type: 'assistant' }, 'assistant'],
    [{ type: 'thought' }, 'system'],
    [{ role: 'tool' }, 'system'],
    [{}, 'system'],
  ])('has the role that %j says', (metadata, role) => {
    expect(tell(metadata).role).toBe(role);
  });

  it.each([
    [{ displayName: 'Ann', name: 'ann', id: 'a1' }, 'Ann'],
    [{ name: 'ann', id: 'a1' }, 'ann'],
    [{ displayName: '', id: 'a1' }, 'a1'],
    [{ id: 0 }, '0'],
    [{}, 'Unknown'],
    [{ name: { first: 'Ann' } }, 'Unknown'],
  ])('names who %j is', (metadata, name) => {
    expect(tell(metadata).content).toBe(`${name} said (${TIME}): Hello`);
  });

  it('tells thoughts as thoughts, those of the assistant too', () => {
    expect(tell({ type: 'thought', name: 'Ann' }).content).toBe(`Ann thought (${TIME}): Hello`);
    expect(tell({ isThought: true, role: 'assistant', name: 'Bot' })).toEqual({
      role: 'assistant',
      content: `Bot thought (${TIME}): Hello`,
    });
  });

  it('leaves what the assistant said bare', () => {
    expect(tell({ role: 'assistant', name: 'Bot' })).toEqual({
      role: 'assistant',
      content: 'Hello',
    });
  });

  it('shows images beside their caption', () => {
    expect(tell({ type: 'image', caption: 'A cat' }, 'https://cats.example/1.png')).toEqual({
      role: 'system',
      content: 'A cat',
      images: ['https://cats.example/1.png'],
    });
    expect(tell({ type: 'image', name: 'Ann', role: 'user' }, 'data:image/png;base64,AA')).toEqual({
      role: 'user',
      content: 'Ann shared an image',
      images: ['data:image/png;base64,AA'],
    });
    expect(tell({ role: 'user', images: ['a.png', 7, 'b.png'] }, 'Look')).toEqual({
      role: 'user',
      content: 'Look',
      images: ['a.png', 'b.png'],
    });
  });
});
