/** Reads the INI dialect of Python's configparser: sections, `key = value` or `key: value`, `#` and `;` comments, indented continuation lines. */

interface IniEntry {
  /** In lower case, as configparser has it. */
  readonly key: string
  readonly value: string
  readonly line: number
}

export interface IniSection {
  readonly name: string
  readonly line: number
  /** Those of `[DEFAULT]` first, where the section does not set them. */
  readonly entries: readonly IniEntry[]
}

export interface Ini {
  readonly sections: readonly IniSection[]
  /** Lines that are none of the above. */
  readonly unreadable: readonly {readonly line: number; readonly text: string}[]
}

interface OpenSection {
  readonly name: string
  readonly line: number
  readonly entries: IniEntry[]
}

export function parseIni(text: string): Ini {
  const sections: OpenSection[] = []
  const unreadable: {line: number; text: string}[] = []
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = index + 1
    const trimmed = raw.trim()
    if (trimmed === '' || /^[#;]/.test(trimmed)) continue
    const [, header] = /^\[([^\]]+)\]$/.exec(trimmed) ?? []
    if (header !== undefined) sections.push({name: header, line, entries: []})
    else if (!addEntry(sections.at(-1), raw, line)) unreadable.push({line, text: trimmed})
  }
  return {sections: withDefaults(sections), unreadable}
}

function addEntry(section: OpenSection | undefined, raw: string, line: number): boolean {
  const previous = section?.entries.at(-1)
  if (section && previous && /^\s/.test(raw)) {
    section.entries[section.entries.length - 1] = {...previous, value: `${previous.value}\n${raw.trim()}`}
    return true
  }
  const [, key, value = ''] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(raw.trim()) ?? []
  if (!section || key === undefined) return false
  section.entries.push({key: key.toLowerCase(), value, line})
  return true
}

function withDefaults(sections: readonly OpenSection[]): IniSection[] {
  const defaults = sections.filter(({name}) => name === 'DEFAULT').flatMap(({entries}) => entries)
  return sections
    .filter(({name}) => name !== 'DEFAULT')
    .map((section) => {
      const own = new Set(section.entries.map(({key}) => key))
      return {...section, entries: [...defaults.filter(({key}) => !own.has(key)), ...section.entries]}
    })
}
