/**
 * Writes src/lib/cluster/jars/*.json: every jar that the servers of `coinpipe cluster` need, with its checksum, as Maven resolves them.
 * Run it after changing a version below. Maven checks what it downloads against the repository; the lists then pin it for everyone.
 */

import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {JarSet} from '../src/lib/cluster/jars/lock.ts'
import {MAVEN_COPY, renderPom} from '../src/lib/cluster/jars/maven.ts'

const FOLDER = join(import.meta.dirname, '../src/lib/cluster/jars')

/** kafka-tools 4.4.0 is not published, so Kafka stays at 4.3.1. */
const ROOTS: Readonly<Record<JarSet, readonly string[]>> = {
  kafka: [
    'org.apache.kafka:kafka_2.13:4.3.1',
    'org.apache.kafka:kafka-tools:4.3.1',
    'org.apache.logging.log4j:log4j-slf4j-impl:2.24.3',
    'org.apache.logging.log4j:log4j-core:2.24.3',
    'org.apache.logging.log4j:log4j-1.2-api:2.24.3',
  ],
  'kafka-zk': ['org.apache.kafka:kafka_2.13:3.9.2', 'org.apache.kafka:kafka-tools:3.9.2', 'org.slf4j:slf4j-reload4j:1.7.36'],
  cassandra: ['org.apache.cassandra:cassandra-all:5.0.9'],
}

for (const [set, roots] of Object.entries(ROOTS)) {
  const folder = mkdtempSync(join(tmpdir(), 'coinpipe-lock-'))
  try {
    const pom = join(folder, 'pom.xml')
    writeFileSync(pom, renderPom(roots, {transitive: true}))
    execFileSync(
      'mvn',
      ['-B', '-q', '-f', pom, MAVEN_COPY, `-DoutputDirectory=${join(folder, 'jars')}`, '-Dmdep.useRepositoryLayout=true'],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    )
    const jars = Object.fromEntries(found(join(folder, 'jars')))
    writeFileSync(join(FOLDER, `${set}.json`), `${JSON.stringify({roots, jars}, null, 2)}\n`)
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

/** Coordinates and checksums of a folder in the layout of a repository. */
function found(folder: string): [string, string][] {
  const paths = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter((path) => path.endsWith('.jar'))
  return paths.sort().map((path) => [
    coordinate(path),
    createHash('sha256')
      .update(readFileSync(join(folder, path)))
      .digest('hex'),
  ])
}

function coordinate(path: string): string {
  const parts = path.split('/')
  const [artifact = '', version = '', file = ''] = parts.slice(-3)
  const classifier = file.slice(`${artifact}-${version}-`.length, -'.jar'.length)
  return [parts.slice(0, -3).join('.'), artifact, version, ...(classifier === '' ? [] : [classifier])].join(':')
}
