import {createHash} from 'node:crypto'
import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {execute, hasProgram, installOnce, pythonWith} from '../install.ts'

/** How a program is started: what comes before its own arguments. */
export type Program = readonly [command: string, ...args: string[]]

const CLIENT = join(import.meta.dirname, 'client.ts')
const PEERS = join(import.meta.dirname, '../peers/cassandra')
const JAVA = join(PEERS, 'java')
const SOURCES = join(JAVA, 'src/main/java/coinpipe/bench')
const PYTHON_DRIVER = '3.30.1'
/** Rows that are decoded already fill the heap. It is this large from the start, here and there, so that no collector walks through them again and again. */
const HEAP_MIB = 1024

/** Our sink, or the bare driver of npm, on the Node that runs this, with the young generation that coinpipe has. */
export function sinkClient(kind: 'sink' | 'driver'): Program {
  return [process.execPath, '--expose-gc', '--max-semi-space-size=16', `--initial-heap-size=${HEAP_MIB}`, CLIENT, kind]
}

/** The Java program, built on first use and after each change; null, with a word about it, where Java or Maven are missing. */
export function javaPeer(): Program | null {
  const missing = ['java', 'mvn'].filter((program) => !hasProgram(program))
  if (missing.length > 0) return skip('the Java driver', `${missing.join(' and ')} is not there (install a JDK of 17 or later and Maven)`)
  const files = [join(JAVA, 'pom.xml'), ...readdirSync(SOURCES).map((name) => join(SOURCES, name))]
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file))
  const folder = installOnce(`cassandra-java-${hash.digest('hex').slice(0, 12)}`, '.', (folder) =>
    execute('mvn', ['-q', '-B', '-Dstyle.color=never', '-f', join(JAVA, 'pom.xml'), `-Doutput=${folder}`, 'compile']),
  )
  return [
    'java',
    `-Xms${HEAP_MIB}m`,
    `-Xmx${HEAP_MIB}m`,
    '-cp',
    `${join(folder, 'classes')}:${join(folder, 'jars/*')}`,
    'coinpipe.bench.Main',
  ]
}

/** The Python program; null, with a word about it, where Python is missing. */
export function pythonPeer(): Program | null {
  if (!hasProgram('python3')) return skip('the Python driver', 'python3 is not there')
  return [pythonWith('cassandra-driver', PYTHON_DRIVER), join(PEERS, 'write.py')]
}

function skip(what: string, why: string): null {
  process.stdout.write(`skipped: ${what}: ${why}\n`)
  return null
}
