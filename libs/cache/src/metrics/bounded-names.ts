/** Stands for all names beyond the bound. */
export const OTHER = '<other>';

/** Tells the first so many names apart, for ever; all others are one. */
export class BoundedNames {
  private readonly names = new Set<string>();

  constructor(private readonly maxNames: number) {}

  of(name: string): string {
    if (this.names.has(name)) return name;
    if (this.names.size >= this.maxNames) return OTHER;
    this.names.add(name);
    return name;
  }
}
