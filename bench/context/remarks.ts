const TOPICS = ['tea', 'trains', 'tides', 'trees', 'toads', 'tiles', 'tunes', 'towns', 'tents'];

/** Short entries about something, for a bulk write. */
export async function* remarks(about: string, count: number) {
  for (let line = 1; line <= count; line += 1) {
    const topic = TOPICS[line % TOPICS.length];
    yield { line, entry: { text: `Remark ${line} on ${topic} in ${about}`, rating: line % 3 } };
  }
}
