import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {accessSync, constants} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {delimiter, join} from 'node:path'
import {JarFetchError} from './errors.ts'
import {parseCoordinate} from './lock.ts'

/** The plugin and goal that copies jars; pinned as they are. */
export const MAVEN_COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
const OUTPUT_TAIL = 2000

/** A project that depends on the jars, and on what they need in turn only where `transitive`. */
export function renderPom(coordinates: readonly string[], {transitive}: {readonly transitive: boolean}): string {
  const exclusions = transitive ? '' : '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>'
  const dependencies = coordinates.map((text) => {
    const {group, artifact, version, classifier} = parseCoordinate(text)
    const extra = classifier === undefined ? '' : `<classifier>${classifier}</classifier>`
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${extra}${exclusions}</dependency>`
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>coinpipe</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${dependencies.join('\n')}
</dependencies>
</project>
`
}

/** The first program `mvn` on a PATH, or null. */
export function findMaven(path: string): string | null {
  const candidates = path.split(delimiter).map((folder) => join(folder, 'mvn'))
  return candidates.find(isExecutable) ?? null
}

/** Lets Maven put the jars below `folder`, in the layout of a repository. Rejects with JarFetchError. */
export async function fetchByMaven(
  maven: string,
  coordinates: readonly string[],
  folder: string,
  {signal, timeoutMs}: {readonly signal: AbortSignal; readonly timeoutMs: number},
): Promise<void> {
  const pom = join(folder, 'pom.xml')
  await writeFile(pom, renderPom(coordinates, {transitive: false}))
  const args = ['-B', '-q', '-f', pom, MAVEN_COPY, `-DoutputDirectory=${folder}`, '-Dmdep.useRepositoryLayout=true']
  const child = spawn(maven, args, {stdio: ['ignore', 'pipe', 'pipe'], signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])})
  const output = collect(child)
  try {
    const [code] = await once(child, 'close')
    if (code !== 0) throw new JarFetchError(`${coordinates.length} jars`, `Maven ended with ${code}: ${output()}`)
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof JarFetchError) throw cause
    throw new JarFetchError(`${coordinates.length} jars`, `Maven did not finish: ${(cause as Error).message} ${output()}`, cause)
  }
}

function collect(child: ChildProcess): () => string {
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = `${tail}${text}`.slice(-OUTPUT_TAIL)
    })
  }
  return () => tail.trim()
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // Not there, or not ours to run: either way not the one.
    return false
  }
}
