/** Prints what was measured. */

/** Lines of equal columns: words to the left, numbers to the right. */
export function printTable(title: string, head: string[], rows: string[][]): void {
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const isNumber = head.map((_, column) => rows.some((row) => /^[\d.]/.test(row[column] ?? '')));
  const line = (row: string[]) =>
    row
      .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  process.stdout.write(`\n${[title, ...table.map(line)].filter(Boolean).join('\n')}\n`);
}
