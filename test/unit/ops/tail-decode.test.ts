import {once} from 'node:events'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import avro from 'avsc'
import fc from 'fast-check'
import {describe, expect, it, onTestFinished} from 'vitest'
import {InvalidInputError} from '../../../src/lib/core/errors.ts'
import type {Value} from '../../../src/lib/core/ports/bus.ts'
import {avroJson, readLongsExactly} from '../../../src/lib/ops/avro-json.ts'
import {RegistryError} from '../../../src/lib/ops/errors.ts'
import {SchemaRegistry} from '../../../src/lib/ops/schema-registry.ts'
import {createDecode, type Decoding} from '../../../src/lib/ops/tail-decode.ts'

const PRODUCT = {
  type: 'record',
  name: 'Product',
  fields: [
    {name: 'pid', type: 'long'},
    {name: 'seen', type: {type: 'long', logicalType: 'timestamp-millis'}},
    {name: 'price', type: ['null', 'string'], default: null},
    {name: 'rank', type: ['null', 'long'], default: null},
    {name: 'images', type: {type: 'array', items: 'string'}},
    {name: 'raw', type: 'bytes'},
  ],
}

/** A registry with the schemas by id, and the paths that it was asked for. */
async function registryWith(answers: Readonly<Record<string, {status?: number; body: string}>>) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const {status = 200, body} = answers[request.url ?? ''] ?? {status: 404, body: '{"error_code":40403}'}
    response.writeHead(status, {'content-type': 'application/json'}).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const registry = new SchemaRegistry(`http://127.0.0.1:${(server.address() as AddressInfo).port}/base`, new AbortController().signal)
  onTestFinished(async () => {
    await registry.close()
    server.closeAllConnections()
    server.close()
  })
  return {registry, asked}
}

function framed(id: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(id, 1)
  return Buffer.concat([head, body])
}

const written = avro.Type.forSchema(PRODUCT as never, {...readLongsExactly(avro), wrapUnions: 'always'})
const BODY = written.toBuffer({
  pid: 9_223_372_036_854_775_807n,
  seen: 1n,
  price: {string: '127'},
  rank: {long: -9_007_199_254_740_993n},
  images: ['a', 'b'],
  raw: Buffer.from([0, 255]),
})
const JSON_TEXT = '{"pid":9223372036854775807,"seen":1,"price":"127","rank":-9007199254740993,"images":["a","b"],"raw":"\\u0000ÿ"}'

async function decoded(decoding: Decoding, value: Value | null, registry?: SchemaRegistry) {
  const message = {topic: 't', partition: 0, offset: 0, key: null, value, headers: {}, timestampMs: 0}
  return await createDecode(decoding, registry)(message)
}

describe('decoding', () => {
  it('reads Avro by the schema that the payload names, asking for each once', async () => {
    const {registry, asked} = await registryWith({'/base/schemas/ids/7': {body: JSON.stringify({schema: JSON.stringify(PRODUCT)})}})
    const expected = {shown: JSON_TEXT, json: JSON_TEXT, schemaId: 7, error: null}
    expect(await Promise.all(['auto', 'avro', 'auto'].map((decoding) => decoded(decoding as Decoding, framed(7, BODY), registry)))).toEqual(
      [expected, expected, expected],
    )
    expect(asked).toEqual(['/base/schemas/ids/7'])
  })

  it('takes a frame that happens to be UTF-8, and so came as text, for a frame', async () => {
    const {registry} = await registryWith({'/base/schemas/ids/1': {body: JSON.stringify({schema: '"string"'})}})
    expect(await decoded('auto', framed(1, Buffer.from([4, 0x68, 0x69])).toString(), registry)).toMatchObject({shown: '"hi"', schemaId: 1})
  })

  it('shows a frame as hex where there is no registry, no such schema, or no fit', async () => {
    const {registry} = await registryWith({
      '/base/schemas/ids/7': {body: JSON.stringify({schema: JSON.stringify(PRODUCT)})},
      '/base/schemas/ids/8': {body: JSON.stringify({schema: 'message X {}', schemaType: 'PROTOBUF'})},
      '/base/schemas/ids/9': {body: JSON.stringify({schema: '"string"', references: [{name: 'a'}]})},
    })
    const hex = framed(7, Buffer.from([1])).toString('hex')
    expect(await decoded('auto', framed(7, Buffer.from([1])))).toEqual({shown: hex, json: null, schemaId: 7, error: null})
    expect(await decoded('auto', framed(7, Buffer.from([1])), registry)).toMatchObject({
      shown: hex,
      error: expect.stringContaining('does not fit schema 7'),
    })
    expect(await decoded('auto', framed(6, BODY), registry)).toMatchObject({json: null, error: 'the registry has no schema 6'})
    expect(await decoded('auto', framed(8, BODY), registry)).toMatchObject({error: 'schema 8 is of the type PROTOBUF'})
    expect(await decoded('auto', framed(9, BODY), registry)).toMatchObject({error: 'schema 9 refers to other schemas'})
  })

  it('rejects where the registry fails or is not there', async () => {
    const {registry} = await registryWith({'/base/schemas/ids/1': {status: 500, body: 'no'}, '/base/schemas/ids/2': {body: '[]'}})
    await expect(decoded('auto', framed(1, BODY), registry)).rejects.toThrow(/answered 500/)
    await expect(decoded('auto', framed(2, BODY), registry)).rejects.toThrow(/did not answer with a schema/)
    const nowhere = new SchemaRegistry('http://user:secret@127.0.0.1:1', new AbortController().signal)
    const error = await decoded('auto', framed(1, BODY), nowhere).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RegistryError)
    expect((error as Error).message).not.toContain('secret')
    await nowhere.close()
    expect(() => new SchemaRegistry('localhost:8081', new AbortController().signal)).toThrow(InvalidInputError)
    expect(() => createDecode('avro', undefined)).toThrow(InvalidInputError)
  })

  it('leaves all that is no frame as it is', async () => {
    expect(await decoded('auto', '{"a": 1}')).toEqual({shown: '{"a": 1}', json: null, schemaId: null, error: null})
    expect(await decoded('auto', Buffer.from('ü'))).toMatchObject({shown: 'ü'})
    expect(await decoded('auto', Buffer.from([0x80]))).toMatchObject({shown: Buffer.from([0x80])})
    expect(await decoded('auto', Buffer.from([0, 1]))).toMatchObject({shown: '\0\u0001', schemaId: null})
    expect(await decoded('auto', null)).toMatchObject({shown: null})
  })

  it('does as it is told', async () => {
    const {registry} = await registryWith({})
    expect(await decoded('hex', 'ü')).toMatchObject({shown: 'c3bc'})
    expect(await decoded('text', framed(7, Buffer.from('x')).toString())).toMatchObject({shown: '\0\0\0\0\u0007x', schemaId: null})
    expect(await decoded('json', '{"a": 1e400}')).toMatchObject({json: '{"a": 1e400}', error: null})
    expect(await decoded('json', '{"a"')).toMatchObject({shown: '{"a"', json: null, error: expect.stringContaining('not JSON')})
    expect(await decoded('json', Buffer.from([0x80]))).toMatchObject({json: null, error: expect.stringContaining('not JSON')})
    expect(await decoded('avro', '{"a": 1}', registry)).toMatchObject({shown: '{"a": 1}', error: expect.stringContaining('not framed')})
  })

  it('writes every long exactly', () => {
    const type = avro.Type.forSchema('long', readLongsExactly(avro))
    fc.assert(
      fc.property(fc.bigInt({min: -(2n ** 63n), max: 2n ** 63n - 1n}), (value) => {
        expect(avroJson(type.fromBuffer(type.toBuffer(value)))).toBe(value.toString())
      }),
    )
  })
})
