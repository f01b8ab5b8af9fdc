/** What it takes to start a node as a process of this machine: its files and its command line. */
export interface Launch {
  /** Text by name, below the node's folder. Written anew before each start. */
  readonly files: Readonly<Record<string, string>>
  readonly command: string
  readonly args: readonly string[]
}

export interface JavaStart {
  /** Empty for a jar that brings its own. */
  readonly classPath: readonly string[]
  readonly heapMb: number
  /** Whether Java may also use its second compiler: faster code after a while, for more work at the start. Default: it may not. */
  readonly fullCompiler?: boolean
  readonly flags?: readonly string[]
  readonly main: readonly string[]
}

/**
 * Small and quick to start rather than fast for hours: one collector thread, and the first compiler only where nothing else is said.
 * `-XX:-UsePerfData`: no memory-mapped file in the temporary folder that a full disk would stop the process by.
 */
const FIRST_COMPILER = '-XX:TieredStopAtLevel=1'
const FLAGS = ['-XX:+UseSerialGC', '-XX:-UsePerfData', '-XX:+ExitOnOutOfMemoryError', '-Djava.awt.headless=true']

/** The text of an argument file: `java @file` reads its arguments from it, which keeps a class path of 60 jars out of process lists. */
export function javaArguments({classPath, heapMb, fullCompiler = false, flags = [], main}: JavaStart): string {
  const path = classPath.length > 0 ? ['-cp', classPath.join(':')] : []
  return [`-Xmx${heapMb}m`, ...(fullCompiler ? [] : [FIRST_COMPILER]), ...FLAGS, ...flags, ...path, ...main]
    .map((text) => `${quoted(text)}\n`)
    .join('')
}

/** An argument as argument files of java want it. */
export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
