/** Prints rows as a table with the columns of the first, numbers to the right. */
export function printTable<Row extends { readonly [Column in keyof Row]: string | number }>(
  given: readonly Row[],
): void {
  const rows: readonly Readonly<Record<string, string | number>>[] = given;
  const columns = Object.keys(rows[0] ?? {});
  const text = (value: string | number | undefined): string =>
    typeof value === 'number' ? rounded(value) : (value ?? '');
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => text(row[column]).length)),
  );
  const line = (cells: readonly string[], isNumber: (index: number) => boolean): string =>
    cells
      .map((cell, index) =>
        isNumber(index) ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      )
      .join('  ');
  const isNumber = (index: number): boolean => typeof rows[0]?.[columns[index] ?? ''] === 'number';
  console.log(line(columns, isNumber));
  for (const row of rows)
    console.log(
      line(
        columns.map((column) => text(row[column])),
        isNumber,
      ),
    );
  console.log();
}

function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);
}
