/**
 * Reads `table=ms` pairs joined by commas. @returns how long results of a table may live, 0 for those
 * that are neither named nor covered by `*`
 */
export function tableLives(setting: string): (table: string) => number {
  const lives = new Map<string, number>();
  for (const pair of setting.split(',').filter((part) => part !== '')) {
    const [table = '', ms = ''] = pair.split('=');
    lives.set(table, Number(ms));
  }
  const others = lives.get('*') ?? 0;
  return (table) => lives.get(table) ?? others;
}
