import { describe, expect, it } from '@jest/globals';
import { eventChannel } from './event-channel.js';

describe('eventChannel', () => {
  it('makes no event while nobody listens', () => {
    const channel = eventChannel<number>('pantheon.test.silent');
    channel.publish(() => {
      throw new Error('was made');
    });
    expect(channel.hasSubscribers).toBe(false);
  });

  it('delivers to listeners until they leave, across handles of the same name', () => {
    const received: number[] = [];
    const leave = eventChannel<number>('pantheon.test.heard').subscribe((event) => {
      received.push(event);
    });
    eventChannel<number>('pantheon.test.heard').publish(() => 1);
    leave();
    eventChannel<number>('pantheon.test.heard').publish(() => 2);
    expect(received).toEqual([1]);
  });
});
