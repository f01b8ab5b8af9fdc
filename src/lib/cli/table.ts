export interface Column<T> {
  readonly title: string
  readonly text: (row: T) => string
  /** Numbers end at the same column. */
  readonly align?: 'right'
}

/** Rows as aligned lines under a line of titles. */
export function formatTable<T>(rows: readonly T[], columns: readonly Column<T>[]): string[] {
  const cells = [columns.map(({title}) => title), ...rows.map((row) => columns.map(({text}) => text(row)))]
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)))
  return cells.map((line) =>
    line
      .map((cell, i) => (columns[i]?.align === 'right' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
