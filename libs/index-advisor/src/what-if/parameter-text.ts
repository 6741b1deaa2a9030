/** A parameter as a literal of SQL, in the words in which `pg` would send it. */
export function parameterLiteral(value: unknown): string {
  const text = parameterText(value);
  if (text === undefined) return 'NULL';
  // With a backslash only the escape form means the same under every setting.
  const quoted = text.replaceAll("'", "''");
  return text.includes('\\') ? `E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}

function parameterText(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return arrayText(value);
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return `\\x${bytes.toString('hex')}`;
  }
  if (isDate(value)) return value.toISOString();
  if (['number', 'bigint', 'boolean'].includes(typeof value)) return `${value as number}`;
  return JSON.stringify(value);
}

/** An array literal: every element in quotes, so that none is read as something else. */
function arrayText(values: readonly unknown[]): string {
  const elements = values.map((value) => {
    if (Array.isArray(value)) return arrayText(value);
    const text = parameterText(value);
    return text === undefined
      ? 'NULL'
      : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  });
  return `{${elements.join(',')}}`;
}

/** Also of another realm, where `instanceof` fails. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]';
}
