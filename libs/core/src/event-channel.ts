import { channel } from 'node:diagnostics_channel';

/**
 * A typed channel of `node:diagnostics_channel`. Lower libs publish on it and upper ones
 * subscribe, so that neither imports the other; with nobody listening a publication costs one
 * property read, because the event is made only for listeners.
 */
export interface EventChannel<Event> {
  readonly name: string;
  readonly hasSubscribers: boolean;
  publish(makeEvent: () => Event): void;
  /** Calls `listener` for each event until the returned function is called. */
  subscribe(listener: (event: Event) => void): () => void;
}

/** The channel called `name`; the same name gives the same channel everywhere in the process. */
export function eventChannel<Event>(name: string): EventChannel<Event> {
  const underlying = channel(name);
  return {
    name,
    get hasSubscribers() {
      return underlying.hasSubscribers;
    },
    publish(makeEvent) {
      if (underlying.hasSubscribers) underlying.publish(makeEvent());
    },
    subscribe(listener) {
      const handler = (event: unknown): void => listener(event as Event);
      underlying.subscribe(handler);
      return () => {
        underlying.unsubscribe(handler);
      };
    },
  };
}
