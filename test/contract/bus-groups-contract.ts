import {describe, expect, it} from 'vitest'
import {FencedError, UnsupportedError} from '../../src/lib/core/errors.ts'
import type {BusMessage, SubscribeOptions, TopicPartition} from '../../src/lib/core/ports/bus.ts'
import {until} from '../helpers/until.ts'
import {type BusContractOptions, numbered, PATIENCE_MS, type Reader, Scene, unique, values} from './bus-world.ts'

/** What every bus promises about several members of one group. */
export function busGroupsContract(options: BusContractOptions): void {
  describe(`bus contract, groups: ${options.name}`, () => {
    sharing(options)
    moving(options)
    staticMembers(options)
  })
}

const count = (reader: Reader) => reader.subscription.assignment().length

function keysOf(partitions: readonly TopicPartition[]): string[] {
  return partitions.map(({topic, partition}) => `${topic}/${partition}`).sort()
}

/** Reads and acks everything in the background until told to stop. */
function drain(reader: Reader): {readonly messages: BusMessage[]; stop(): Promise<void>} {
  const messages: BusMessage[] = []
  const running = (async () => {
    for await (const delivery of reader.subscription) {
      messages.push(...delivery.items)
      await delivery.ack()
    }
  })()
  return {
    messages,
    stop: async () => {
      reader.abort()
      await running
    },
  }
}

async function groupOf(options: BusContractOptions, partitions: number) {
  const scene = await Scene.open(options)
  const handle = await scene.withTopic(partitions)
  const group = unique('group')
  const member = async (extra: Partial<SubscribeOptions> = {}) => {
    const {bus} = await scene.connect()
    return {bus, reader: scene.subscribe(bus, {group, topics: [handle.topic], ...extra})}
  }
  return {scene, ...handle, group, member}
}

function sharing(options: BusContractOptions): void {
  it('gives every record to each group, and to one member of a group', async () => {
    const {scene, bus, topic, member} = await groupOf(options, 4)
    const [{reader: a}, {reader: b}] = [await member(), await member()]
    await until('both hold two partitions', () => count(a) === 2 && count(b) === 2, PATIENCE_MS)
    const other = scene.subscribe(bus, {group: unique('group'), topics: [topic]})
    const reads = [drain(a), drain(b), drain(other)] as const
    await bus.publish([0, 1, 2, 3].flatMap((partition) => numbered(topic, 25, {partition, prefix: `${partition}:`})))
    await until(
      'all read',
      () => reads[0].messages.length + reads[1].messages.length >= 100 && reads[2].messages.length >= 100,
      PATIENCE_MS,
    )
    for (const read of reads) await read.stop()
    const shared = [...reads[0].messages, ...reads[1].messages].map((message) => String(message.value)).sort()
    expect(shared).toEqual(reads[2].messages.map((message) => String(message.value)).sort())
    expect(new Set(shared).size).toBe(100)
    expect(reads[0].messages.length).toBe(50)
  })

  it('leaves a member without a partition waiting when there are too few', async () => {
    const {member} = await groupOf(options, 1)
    const [{reader: a}, {reader: b}] = [await member(), await member()]
    await until('one holds the partition', () => count(a) + count(b) === 1, PATIENCE_MS)
  })

  it('describes the group: generation, members and what each holds', async () => {
    const {admin, group, topic, member} = await groupOf(options, 2)
    const {reader: a} = await member()
    await until('a holds both', () => count(a) === 2, PATIENCE_MS)
    const before = await admin.describeGroup(group)
    expect(before.members).toHaveLength(1)
    expect(keysOf(before.members[0]?.partitions ?? [])).toEqual([`${topic}/0`, `${topic}/1`])
    const {reader: b} = await member()
    await until('they share', () => count(a) === 1 && count(b) === 1, PATIENCE_MS)
    const after = await admin.describeGroup(group)
    expect(after.members).toHaveLength(2)
    if (before.generation !== null) expect(after.generation).toBeGreaterThan(before.generation)
  })

  it('reads several topics, and shares them by who reads what', async () => {
    const {scene, bus, topic, group} = await groupOf(options, 2)
    const second = await scene.withTopic(2)
    const both = scene.subscribe(bus, {group, topics: [topic, second.topic]})
    const one = scene.subscribe(second.bus, {group, topics: [second.topic]})
    await until('all is assigned', () => count(both) + count(one) === 4 && count(one) >= 1, PATIENCE_MS)
    expect(one.subscription.assignment().every((held) => held.topic === second.topic)).toBe(true)
    expect(keysOf(both.subscription.assignment())).toEqual(expect.arrayContaining([`${topic}/0`, `${topic}/1`]))
  })
}

function moving(options: BusContractOptions): void {
  it('hands over without loss or repeat when members join and leave', async () => {
    const {bus, topic, member} = await groupOf(options, 4)
    let sent = 0
    const publish = async () => {
      await bus.publish([0, 1, 2, 3].flatMap((partition) => numbered(topic, 10, {partition, first: sent, prefix: `${partition}:`})))
      sent += 10
    }
    const {reader: a} = await member()
    const readA = drain(a)
    await publish()
    const {reader: b} = await member()
    const readB = drain(b)
    await publish()
    await until('they share', () => count(a) === 2 && count(b) === 2, PATIENCE_MS)
    await publish()
    await readA.stop()
    await a.subscription.close()
    await until('b took over', () => count(b) === 4, PATIENCE_MS)
    await publish()
    const all = () => [...readA.messages, ...readB.messages].map((message) => String(message.value))
    await until('all read', () => new Set(all()).size >= 160, PATIENCE_MS)
    await readB.stop()
    expect(new Set(all()).size).toBe(160)
    // Where all members stop for a moment, what was read and not yet acked is read again.
    if (bus.capabilities.cooperative) expect(all()).toHaveLength(160)
  })

  it('moves only the partitions that have to move', async () => {
    const {member, scene, topic} = await groupOf(options, 4)
    const {bus, reader: a} = await member()
    if (!bus.capabilities.cooperative) return
    await until('a holds all', () => count(a) === 4, PATIENCE_MS)
    const started: number[] = []
    const group = unique('group')
    const watched = scene.subscribe(bus, {
      group,
      topics: [topic],
      startAt: async (partitions) => {
        started.push(...partitions.map(({partition}) => partition))
        return []
      },
    })
    await until('watched holds all', () => count(watched) === 4, PATIENCE_MS)
    const other = scene.subscribe(bus, {group, topics: [topic]})
    await until('they share', () => count(watched) === 2 && count(other) === 2, PATIENCE_MS)
    await other.subscription.close()
    await until('they are back', () => count(watched) === 4, PATIENCE_MS)
    expect(started).toHaveLength(6)
  })

  it('lets a member finish what it read before its partition moves', async () => {
    const {bus, admin, topic, group, member} = await groupOf(options, 2)
    const {reader: a} = await member()
    if (!bus.capabilities.cooperative) return
    await bus.publish([...numbered(topic, 1), ...numbered(topic, 1, {partition: 1})])
    // Partitions may be on different nodes, of which one answers first.
    const open = [await a.next()]
    if (open[0]?.items.length === 1) open.push(await a.next())
    const {reader: b} = await member()
    await until('b is in the group', async () => (await admin.describeGroup(group)).members.length === 2, PATIENCE_MS)
    expect(count(b)).toBe(0)
    for (const delivery of open) await delivery.ack()
    await until('the partition moved', () => count(a) === 1 && count(b) === 1, PATIENCE_MS)
    expect(await b.result(200)).toBe('nothing')
  })

  it('refuses the late ack of a member that was replaced', async () => {
    const {bus, admin, topic, group, member} = await groupOf(options, 1)
    if (!bus.capabilities.staticMembership) return
    await bus.publish(numbered(topic, 3))
    const {reader: old} = await member({instanceId: 'one'})
    const late = await old.next()
    const {reader: fresh} = await member({instanceId: 'one'})
    await until('the new one holds the partition', () => count(fresh) === 1, PATIENCE_MS)
    await expect(late.ack()).rejects.toBeInstanceOf(FencedError)
    await expect(old.next()).rejects.toBeInstanceOf(FencedError)
    expect((await admin.lag(group))[0]?.committed ?? null).toBeNull()
    expect(values(await fresh.take(3))).toEqual(['0', '1', '2'])
  })
}

function staticMembers(options: BusContractOptions): void {
  it('keeps the partitions of a static member that comes back', async () => {
    const {bus, scene, topic, group} = await groupOf(options, 4)
    const subscribe = (instanceId: string) => scene.subscribe(bus, {group, topics: [topic], instanceId})
    if (!bus.capabilities.staticMembership) {
      expect(() => subscribe('a')).toThrow(UnsupportedError)
      return
    }
    const [a, b] = [subscribe('a'), subscribe('b')]
    await until('they share', () => count(a) === 2 && count(b) === 2, PATIENCE_MS)
    const held = keysOf(a.subscription.assignment())
    const kept = keysOf(b.subscription.assignment())
    await a.subscription.close()
    const again = subscribe('a')
    await until('a is back', () => count(again) === 2, PATIENCE_MS)
    expect(keysOf(again.subscription.assignment())).toEqual(held)
    expect(keysOf(b.subscription.assignment())).toEqual(kept)
  })
}
