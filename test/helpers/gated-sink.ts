import type {Sink, SinkBatch, SinkResult} from '../../src/lib/core/ports/sink.ts'
import {MemorySink, type MemoryTable} from './memory-sink.ts'

/** One batch that is being written. */
export interface GatedWrite {
  readonly batch: SinkBatch
  /** Writes it. */
  finish(): void
  fail(error: Error): void
}

/** A sink that takes several batches at once and writes each only when the test says so, in whatever order. */
export class GatedSink extends MemorySink implements Sink {
  readonly concurrentWrites: number
  /** Under way, oldest first. */
  readonly writes: GatedWrite[] = []
  /** Most that ever were under way at once. */
  most = 0

  constructor(table: MemoryTable, concurrentWrites: number) {
    super(table, {keepsPositions: false})
    this.concurrentWrites = concurrentWrites
  }

  override async write(batch: SinkBatch): Promise<SinkResult> {
    const gate = Promise.withResolvers<void>()
    const write = {batch, finish: gate.resolve, fail: gate.reject}
    this.writes.push(write)
    this.most = Math.max(this.most, this.writes.length)
    try {
      await gate.promise
    } finally {
      this.writes.splice(this.writes.indexOf(write), 1)
    }
    return super.write(batch)
  }
}
