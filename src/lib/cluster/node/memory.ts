import {NodeOptionsError} from './errors.ts'

/** What shares a server's memory. In KRaft mode broker and controller are one process, so they are one part. */
export const PARTS = ['broker+controller', 'broker', 'zookeeper', 'cassandra'] as const
export type Part = (typeof PARTS)[number]

/** MiB of one process: heap (-Xmx), direct buffers (-XX:MaxDirectMemorySize), and what the JVM takes besides (classes, code, stacks, native code). */
export interface PartMemory {
  readonly part: Part
  readonly heapMb: number
  readonly directMb: number
  readonly jvmMb: number
  readonly totalMb: number
}

export interface MemoryPlan {
  readonly totalMb: number
  /** Kept free for the operating system and for coinpipe itself. */
  readonly systemMb: number
  readonly own: PartMemory
  /** What else runs on the machine. */
  readonly beside: readonly PartMemory[]
  /** Left for the page cache, which Kafka serves consumers from, and Cassandra its reads. */
  readonly pageCacheMb: number
}

interface Need {
  /** Share of the machine's memory that becomes heap, within bounds. */
  readonly heapShare: number
  readonly minHeapMb: number
  readonly maxHeapMb: number
  /** Direct memory as a share of the heap. Kafka: network buffers. Cassandra: file cache, network buffers, compression. */
  readonly directShare: number
  readonly jvmMb: number
}

/**
 * A broker of a few hundred partitions is content with 1 GiB, its controller with an eighth of that more. A quarter for Cassandra is its own rule for a
 * machine of this size. Beside the heap, Kafka at -Xmx256m was seen to take 215 to 300 MiB in all, ZooKeeper 75, Cassandra at -Xmx512m 1 GiB.
 */
const NEEDS: Readonly<Record<Part, Need>> = {
  'broker+controller': {heapShare: 9 / 64, minHeapMb: 256, maxHeapMb: 6144, directShare: 1 / 4, jvmMb: 256},
  broker: {heapShare: 1 / 8, minHeapMb: 256, maxHeapMb: 6144, directShare: 1 / 4, jvmMb: 256},
  zookeeper: {heapShare: 1 / 32, minHeapMb: 64, maxHeapMb: 1024, directShare: 1 / 8, jvmMb: 96},
  cassandra: {heapShare: 1 / 4, minHeapMb: 512, maxHeapMb: 8192, directShare: 3 / 8, jvmMb: 384},
}

const SYSTEM_SHARE = 1 / 4
const MIN_SYSTEM_MB = 768
/** With less the broker reads from disk what its consumers ask for moments after it was written. */
const MIN_PAGE_CACHE_SHARE = 1 / 8
/** The largest heap for which object references take 4 bytes. */
const MAX_HEAP_MB = 31_744
const STEP_MB = 16

export interface MemoryRequest {
  /** Memory of the machine. */
  readonly totalMb: number
  readonly part: Part
  /** Every other process that shares it. */
  readonly beside: readonly Part[]
  /** Heap of `part`, where it is not to be worked out. */
  readonly heapMb?: number | undefined
}

/** Shares a machine's memory out. Throws NodeOptionsError where it does not suffice, or the heap is out of bounds. */
export function memoryPlan({totalMb, part, beside, heapMb}: MemoryRequest): MemoryPlan {
  const systemMb = Math.max(MIN_SYSTEM_MB, roundDown(totalMb * SYSTEM_SHARE))
  const own = partMemory(part, heapMb ?? fittingHeap(part, totalMb))
  const others = beside.map((other) => partMemory(other, fittingHeap(other, totalMb)))
  const pageCacheMb = totalMb - systemMb - [own, ...others].reduce((sum, {totalMb}) => sum + totalMb, 0)
  const plan = {totalMb, systemMb, own, beside: others, pageCacheMb}
  if (pageCacheMb < totalMb * MIN_PAGE_CACHE_SHARE) throw tooSmall(plan)
  return plan
}

function partMemory(part: Part, heapMb: number): PartMemory {
  const {directShare, jvmMb} = NEEDS[part]
  const smallest = NEEDS[part].minHeapMb / 2
  if (heapMb < smallest || heapMb > MAX_HEAP_MB) {
    throw new NodeOptionsError(`a heap of ${heapMb} MiB for ${part} is not between ${smallest} and ${MAX_HEAP_MB} MiB`, {
      remedy: ['give another size with --heap, or leave it away'],
    })
  }
  const directMb = Math.max(STEP_MB, roundDown(heapMb * directShare))
  return {part, heapMb, directMb, jvmMb, totalMb: heapMb + directMb + jvmMb}
}

function fittingHeap(part: Part, totalMb: number): number {
  const {heapShare, minHeapMb, maxHeapMb} = NEEDS[part]
  return Math.min(maxHeapMb, Math.max(minHeapMb, roundDown(totalMb * heapShare)))
}

function roundDown(mb: number): number {
  return Math.floor(mb / STEP_MB) * STEP_MB
}

function tooSmall({totalMb, systemMb, own, beside, pageCacheMb}: MemoryPlan): NodeOptionsError {
  const shares = [own, ...beside].map(({part, totalMb}) => `${part} ${totalMb}`).join(', ')
  const least = Math.ceil(totalMb * MIN_PAGE_CACHE_SHARE)
  return new NodeOptionsError(
    `${totalMb} MiB do not suffice: ${systemMb} for the system, ${shares}, and then ${pageCacheMb} MiB for the page cache, which needs ${least}`,
    {
      remedy: [
        'give this node a smaller heap with --heap',
        'or say with --beside what else runs on this machine; --beside none where nothing does',
        'or name the memory of the machine with --memory where it is more than was found',
      ],
    },
  )
}
