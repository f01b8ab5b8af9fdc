interface FlagMetadata {
  readonly flags: Readonly<Record<string, {readonly setFromDefault?: boolean | undefined} | undefined>>
}

/** The named flags as arguments for another coinpipe, those that have their default left out. Durations are not among them: here they are numbers. */
export function forwardFlags(flags: Readonly<Record<string, unknown>>, metadata: FlagMetadata, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = flags[name]
    if (value === undefined || metadata.flags[name]?.setFromDefault) return []
    if (typeof value === 'boolean') return value ? [`--${name}`] : []
    return [value].flat().map((part) => `--${name}=${String(part)}`)
  })
}

/** Arguments before the first `--`, and those behind it. */
export function splitArguments(argv: readonly string[]): {readonly own: string[]; readonly rest: string[]} {
  const at = argv.indexOf('--')
  return at < 0 ? {own: [...argv], rest: []} : {own: argv.slice(0, at), rest: argv.slice(at + 1)}
}
