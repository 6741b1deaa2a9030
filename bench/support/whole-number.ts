/** The whole number above 0 that an argument gives, or the end of the program with a reason. */
export function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  process.stderr.write(`--${name} must be a whole number above 0, not "${text}".\n`);
  process.exit(2);
}
