import {compressionsAlgorithms} from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import Broker from 'kafkajs/src/broker/index.js'
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

const THROTTLE_CHECK_MS = 10
const {apiVersions} = Broker.prototype

/**
 * Completes kafkajs, which is no longer maintained. Its classes and its registry of codecs are global to the module and take no other form; every client
 * that is made sets the same again, which changes nothing.
 */
export function amendKafkajs(): void {
  installCodecs()
  RequestQueue.prototype.scheduleCheckPendingRequests = scheduleCheckPendingRequests
  Broker.prototype.isConnected = isConnected
  Broker.prototype.apiVersions = apiVersionsInTime
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

/** To kafkajs a broker is connected as soon as it has taken the connection. What is asked of one before it has said what it can do throws as a bug would. */
function isConnected(this: Broker): boolean {
  const {versions, connectionPool} = this
  return versions !== null && connectionPool.isConnected() && (connectionPool.sasl === undefined || connectionPool.isAuthenticated())
}

/**
 * Of the addresses to start from, kafkajs tries the next one only where a connection fails. One that is taken and never answered counts as such here, and
 * as soon: kafkajs waits for as long as for any request.
 */
async function apiVersionsInTime(this: Broker): Promise<object> {
  const {brokerAddress: broker, connectionPool} = this
  const late = new kafkajs.KafkaJSConnectionError(`no answer within ${connectionPool.connectionTimeout} ms`, {broker})
  const timer = setTimeout(() => connectionPool.map((connection) => connection.rejectRequests(late)), connectionPool.connectionTimeout)
  try {
    return await apiVersions.call(this)
  } finally {
    clearTimeout(timer)
  }
}
