import type {MessagePort} from 'node:worker_threads'
import type {StoreBatch} from './batch.ts'
import {StoreCorruptError, StoreSchemaError, sqliteCode} from './errors.ts'
import {StoreWriter} from './writer.ts'
import type {StoreRefusal, WriterCalls, WriterReply, WriterRequest} from './writer-protocol.ts'

/** Answers one request after the other, in order, until `close`. */
export function serveStoreWriter(port: MessagePort): void {
  const server = new WriterServer()
  port.on('message', (request: WriterRequest) => {
    port.postMessage(server.answer(request))
    if (request.call === 'close') port.close()
  })
}

class WriterServer {
  private writer: StoreWriter | undefined

  answer(request: WriterRequest): WriterReply {
    try {
      return {id: request.id, ok: true, reply: this.handle(request)}
    } catch (error) {
      const errcode = sqliteCode(error)
      const refusal = refusalOf(error)
      return {id: request.id, ok: false, error, ...(errcode === undefined ? {} : {errcode}), ...(refusal ? {refusal} : {})}
    }
  }

  private handle(request: WriterRequest): WriterCalls[WriterRequest['call']]['reply'] {
    switch (request.call) {
      case 'open': {
        const {path, busyTimeoutMs, retention} = request.request
        this.writer = new StoreWriter(path, busyTimeoutMs, retention)
        return undefined
      }
      case 'write':
        return this.opened().write(JSON.parse(request.request) as StoreBatch)
      case 'positions':
        return this.opened().positions(request.request.group, request.request.partitions)
      case 'retain':
        return this.opened().retain(request.request.nowMs)
      case 'shrink':
        this.opened().shrink()
        return undefined
      case 'check':
        this.opened().check()
        return undefined
      case 'close':
        this.writer?.close()
        return undefined
    }
  }

  private opened(): StoreWriter {
    if (!this.writer) throw new TypeError('the store writer was asked to work before it was opened')
    return this.writer
  }
}

function refusalOf(error: unknown): StoreRefusal | undefined {
  if (error instanceof StoreSchemaError) return {kind: 'schema', found: error.found}
  if (error instanceof StoreCorruptError) return {kind: 'foreign', seen: error.seen}
  return undefined
}
