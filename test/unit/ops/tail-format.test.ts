import {describe, expect, it} from 'vitest'
import {InvalidInputError} from '../../../src/lib/core/errors.ts'
import type {BusMessage, TopicDescription} from '../../../src/lib/core/ports/bus.ts'
import type {Decoded} from '../../../src/lib/ops/tail-decode.ts'
import {delimited, envelope, type Formatter, type Piece, parseTemplate} from '../../../src/lib/ops/tail-format.ts'

const MESSAGE: BusMessage = {topic: 't', partition: 2, offset: 7, key: 'k', value: 'välue', headers: {a: '1', b: ''}, timestampMs: 1234}
const EMPTY: BusMessage = {...MESSAGE, key: null, value: null, headers: {}}

function bytes(format: Formatter, message: BusMessage, payload: Partial<Decoded> = {}): Buffer {
  const out: Piece[] = []
  format({message, payload: {shown: message.value, json: null, schemaId: null, error: null, ...payload}}, out)
  return Buffer.concat(out.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
}

function topic(over: Partial<TopicDescription> = {}): TopicDescription {
  return {
    name: 't',
    partitions: 3,
    retentionMs: null,
    retentionBytes: null,
    replicas: 1,
    settings: {},
    offsets: [],
    replication: [],
    ...over,
  }
}

describe('a format', () => {
  it('writes what the tokens stand for', () => {
    const format = parseTemplate('%t [%p] %o %T %k/%K %s/%S %h 100%%\\n', false)
    expect(bytes(format, MESSAGE).toString()).toBe('t [2] 7 1234 k/1 välue/6 a=1,b= 100%\n')
    expect(bytes(format, EMPTY).toString()).toBe('t [2] 7 1234 /-1 /-1  100%\n')
  })

  it('writes NULL for what is null or empty, where it is asked for', () => {
    const format = parseTemplate('%k:%s', true)
    expect(bytes(format, EMPTY).toString()).toBe('NULL:NULL')
    expect(bytes(format, {...MESSAGE, key: '', value: ''}).toString()).toBe('NULL:NULL')
    expect(bytes(parseTemplate('%K:%S', true), {...MESSAGE, key: '', value: ''}).toString()).toBe('0:0')
  })

  it('frames payloads with their length, in four bytes, the high one first', () => {
    expect(bytes(parseTemplate('%R%s', false), MESSAGE)).toEqual(Buffer.from([0, 0, 0, 6, ...Buffer.from('välue')]))
    expect(bytes(parseTemplate('%R', false), EMPTY)).toEqual(Buffer.from([0xff, 0xff, 0xff, 0xff]))
  })

  it('keeps bytes that are no text as they are', () => {
    expect(bytes(parseTemplate('%s\\xfe', false), {...MESSAGE, value: Buffer.from([0x80, 0x81])})).toEqual(Buffer.from([0x80, 0x81, 0xfe]))
  })

  it('understands escapes', () => {
    expect(bytes(parseTemplate('\\t\\r\\n\\x41\\x4a!\\0\\\\\\q', false), MESSAGE).toString()).toBe('\t\r\nAJ!\0\\q')
    expect(bytes(parseTemplate('ends \\', false), MESSAGE).toString()).toBe('ends \\')
  })

  it.each([
    ['%s %q', 4],
    ['%', 1],
    ['a%', 2],
  ])('refuses %s and says where', (template, place) => {
    expect(() => parseTemplate(template, false)).toThrow(InvalidInputError)
    expect(() => parseTemplate(template, false)).toThrow(`at character ${place}`)
  })

  it('puts delimiters between records, and between key and payload', () => {
    expect(bytes(delimited('\\n', undefined, false), MESSAGE).toString()).toBe('välue\n')
    expect(bytes(delimited('\\x00', ' %s ', false), MESSAGE).toString()).toBe('k %s välue\0')
  })
})

describe('the envelope', () => {
  const line = (message: BusMessage, over?: Partial<Decoded>, facts = topic()) =>
    bytes(
      envelope('\\n', () => facts),
      message,
      over,
    ).toString()

  it("has kcat's keys in kcat's order", () => {
    expect(line(MESSAGE)).toBe(
      '{"topic":"t","partition":2,"offset":7,"tstype":"logappend","ts":1234,"broker":-1,"headers":["a","1","b",""],"key":"k","payload":"välue"}\n',
    )
    expect(line(EMPTY)).toBe(
      '{"topic":"t","partition":2,"offset":7,"tstype":"logappend","ts":1234,"broker":-1,"key":null,"payload":null}\n',
    )
  })

  it('says which broker leads, and who set the time', () => {
    const replication = [{topic: 't', partition: 2, leader: 9, leaderEpoch: 0, replicas: [9], isr: [9]}]
    expect(line(EMPTY, {}, topic({replication}))).toContain('"tstype":"create","ts":1234,"broker":9,')
    const settings = {'message.timestamp.type': 'LogAppendTime'}
    expect(line(EMPTY, {}, topic({replication, settings}))).toContain('"tstype":"logappend"')
  })

  it('embeds what was decoded, on one line, with the id of its schema', () => {
    expect(line(MESSAGE, {shown: '{"a":\n1}', json: '{"a":\n1}', schemaId: 12})).toContain('"payload":{"a": 1},"value_schema_id":12}\n')
    expect(line(MESSAGE, {shown: '00ff', error: 'no'})).toContain('"payload":null,"payload_error":"no"}')
    expect(line(MESSAGE, {shown: '000000000c02', schemaId: 12})).toContain('"payload":"000000000c02","value_schema_id":12}')
    expect(line(MESSAGE, {shown: Buffer.from([0x80])})).toContain('"payload":"80","payload_encoding":"hex"}')
  })
})
