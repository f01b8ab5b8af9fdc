/** Reads a `.env` file as docker compose does: `KEY=value`, optional quotes and `export`, `#` comments. */

export interface EnvEntry {
  readonly key: string
  readonly value: string
  readonly line: number
}

export interface EnvFile {
  readonly entries: readonly EnvEntry[]
  /** Numbers of lines that are no assignment; their text may be secret. */
  readonly unreadable: readonly number[]
}

export function parseEnvFile(text: string): EnvFile {
  const entries: EnvEntry[] = []
  const unreadable: number[] = []
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const [, key, value] = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(trimmed) ?? []
    if (key === undefined || value === undefined) unreadable.push(index + 1)
    else entries.push({key, value: unquote(value), line: index + 1})
  }
  return {entries, unreadable}
}

function unquote(value: string): string {
  const [, quoted] = /^(?:"(.*)"|'(.*)')$/.exec(value)?.filter((group) => group !== undefined) ?? []
  return quoted ?? value.replace(/\s+#.*$/, '')
}
