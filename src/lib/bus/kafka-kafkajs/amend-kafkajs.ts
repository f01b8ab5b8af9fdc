import {compressionsAlgorithms} from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

const THROTTLE_CHECK_MS = 10

/**
 * Completes kafkajs, which is no longer maintained. Its classes and its registry of codecs are global to the module and take no other form; every client
 * that is made sets the same again, which changes nothing.
 */
export function amendKafkajs(): void {
  installCodecs()
  RequestQueue.prototype.scheduleCheckPendingRequests = scheduleCheckPendingRequests
}

/** It knows three codecs by name only. These are those of the other client library: what one driver writes, the other reads. */
function installCodecs(): void {
  const {CompressionCodecs, CompressionTypes} = kafkajs
  for (const [type, name] of [
    [CompressionTypes.Snappy, 'snappy'],
    [CompressionTypes.LZ4, 'lz4'],
    [CompressionTypes.ZSTD, 'zstd'],
  ] as const) {
    const {compressSync, decompressSync} = compressionsAlgorithms[name]
    CompressionCodecs[type] = () => ({
      compress: async (encoder: {readonly buffer: Buffer}) => compressSync(encoder.buffer),
      decompress: async (bytes: Buffer) => decompressSync(bytes),
    })
  }
}

/**
 * A throttled connection looks after the throttle whether it may send what waits. kafkajs' own looks all the time, each millisecond and with nothing
 * waiting, and sets timers with negative times, of which Node warns on stderr. https://github.com/tulios/kafkajs/issues/1704 and 1751
 */
function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    },
    Math.max(this.throttledUntil - Date.now(), THROTTLE_CHECK_MS),
  )
}
