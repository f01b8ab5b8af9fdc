import {createRequire} from 'node:module'
import {describe, expect, it} from 'vitest'
import {BatchRequest, rowHeader} from '../../../../src/lib/store/cassandra/batch-request.ts'
import type {Row} from '../../../../src/lib/store/cassandra/row.ts'
import {valueCount} from '../../../../src/lib/store/cassandra/statements.ts'
import {insertTables, rowEncoder} from '../../../helpers/encoded-rows.ts'
import {book, candle, T0, ticker, trade} from '../../../helpers/market-records.ts'

const require = createRequire(import.meta.url)
const driver = require('cassandra-driver')
const {BatchRequest: DriversRequest} = require('cassandra-driver/lib/requests.js')
const {DefaultExecutionOptions} = require('cassandra-driver/lib/execution-options.js')

const ID = Buffer.from('0123456789abcdef')
const TIMESTAMP_US = T0 + 123_456
const STREAM = 4711
const tables = new Map(
  [...insertTables()].map(([type, {table, using}]) => [type, {table, using, header: rowHeader(ID, valueCount(table, using))}] as const),
)

/** The frame that the driver itself makes of the same values. */
function driversFrame(rows: readonly Row[], protocolVersion: number): Buffer {
  const queries = rows.map((row) => ({queryId: ID, params: valuesOf(row), meta: {columns: valuesOf(row).map(() => ({type: null}))}}))
  const client = {
    options: {queryOptions: {}, policies: {timestampGeneration: {next: () => TIMESTAMP_US}}},
    profileManager: {getProfile: () => ({consistency: 1})},
    controlConnection: {protocolVersion},
  }
  const options = DefaultExecutionOptions.create({logged: false, consistency: 1, timestamp: TIMESTAMP_US}, client)
  return new DriversRequest(queries, options).write(new driver.Encoder(protocolVersion, {encoding: {}}), STREAM)
}

function valuesOf({chunk, start, end, partition}: Row): unknown[] {
  const values: unknown[] = []
  for (let at = start + partition.header.length; at < end; ) {
    const length = chunk.readInt32BE(at)
    at += 4
    values.push(length === -1 ? null : length === -2 ? driver.types.unset : chunk.subarray(at, at + length))
    at += Math.max(0, length)
  }
  return values
}

describe('a batch of rows that are encoded already', () => {
  const encoder = rowEncoder({tables})
  const rows = [trade('1'), trade('2', {sequence: '9'}), book(T0), ticker(T0), candle(T0, 3), trade('3')].map((record) =>
    encoder.encode(record),
  )

  it.each([4, 0x42])('is the frame that the driver makes of its values, in version %i of the protocol', (version) => {
    const ours = new BatchRequest(rows, 1, TIMESTAMP_US).write({protocolVersion: version}, STREAM)
    expect(ours.toString('hex')).toBe(driversFrame(rows, version).toString('hex'))
  })

  it('is the same again where it is sent again, to another node', () => {
    const request = new BatchRequest(rows, 1, TIMESTAMP_US)
    const first = request.write({protocolVersion: 4}, STREAM)
    expect(request.length).toBe(first.length - 9)
    expect(request.clone().write({protocolVersion: 4}, STREAM).equals(first)).toBe(true)
  })

  it('holds rows of several chunks in their order', () => {
    const many = Array.from({length: 3000}, (_, i) => encoder.encode(trade(`${i}`)))
    expect(new Set(many.map(({chunk}) => chunk)).size).toBeGreaterThan(1)
    const mixed = [...many.slice(1500), ...many.slice(0, 1500)]
    const frame = new BatchRequest(mixed, 1, TIMESTAMP_US).write({protocolVersion: 4}, STREAM)
    const body = Buffer.concat(mixed.map(({chunk, start, end}) => chunk.subarray(start, end)))
    expect(frame.subarray(12, 12 + body.length).equals(body)).toBe(true)
  })
})
