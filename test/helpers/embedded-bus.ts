import {join} from 'node:path'
import {onTestFinished} from 'vitest'
import {EmbeddedBus, type EmbeddedBusOptions} from '../../src/lib/bus/embedded/embedded-bus.ts'
import {type TestContext, testContext} from './context.ts'
import {tempDir} from './temp-dir.ts'

export interface OpenedBus {
  readonly bus: EmbeddedBus
  readonly path: string
  readonly context: TestContext
}

/** A connected embedded bus, by default on a log of its own; it is closed when the test is over. */
export async function embeddedBus(options: Partial<EmbeddedBusOptions> = {}): Promise<OpenedBus> {
  const path = options.path ?? join(await tempDir(), 'log', 'coinpipe-log.sqlite')
  const context = testContext()
  const bus = new EmbeddedBus({...options, path}, context)
  onTestFinished(() => bus.close())
  await bus.connect()
  return {bus, path, context}
}

/** `count` records of `bytes` each for one partition, their values numbered from `first`. */
export function records(topic: string, count: number, {partition = 0, first = 0, bytes = 0} = {}) {
  return Array.from({length: count}, (_, at) => ({topic, partition, key: null, value: String(first + at).padStart(bytes, '.')}))
}
