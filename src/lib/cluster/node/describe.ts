import {JAR_LOCKS} from '../jars/lock.ts'
import {launchOf} from './launch.ts'
import type {MemoryPlan} from './memory.ts'
import type {NodeSpec} from './spec.ts'

/** What `--plan` answers: everything that a start would use, before anything is fetched or written. */
export interface NodePlan {
  readonly node: string
  readonly clusterId: string
  readonly folder: string
  readonly memory: MemoryPlan
  /** Settings by the name of their file. */
  readonly files: Readonly<Record<string, string>>
  /** Programs and their versions, `group:artifact:version`. */
  readonly programs: readonly string[]
  /** Java's arguments, without the class path. */
  readonly java: readonly string[]
}

export function planOf(spec: NodeSpec, folder: string): NodePlan {
  const {files, jars, flags, main} = launchOf(spec, folder)
  const {name, clusterId, memory} = spec
  return {node: name, clusterId, folder, memory, files, programs: JAR_LOCKS[jars].roots, java: [...flags, ...main]}
}

export function describePlan({node, clusterId, folder, memory, files, programs, java}: NodePlan): string[] {
  return [
    `${node} of cluster ${clusterId}, in ${folder}`,
    `programs: ${programs.join(' ')}`,
    '',
    ...describeMemory(memory),
    ...Object.entries(files).flatMap(([name, text]) => ['', `# ${name}`, ...text.trimEnd().split('\n')]),
    '',
    '# java',
    ...java,
  ]
}

function describeMemory({totalMb, systemMb, own, beside, pageCacheMb}: MemoryPlan): string[] {
  const row = (what: string, mb: number, detail = '') => `  ${what.padEnd(18)}${String(mb).padStart(7)}${detail}`
  return [
    `memory in MiB, ${totalMb} in all`,
    row('system', systemMb),
    ...[own, ...beside].map(({part, totalMb, heapMb, directMb, jvmMb}) =>
      row(part, totalMb, `  (heap ${heapMb}, direct ${directMb}, the rest of the JVM ${jvmMb})`),
    ),
    row('page cache', pageCacheMb),
  ]
}
