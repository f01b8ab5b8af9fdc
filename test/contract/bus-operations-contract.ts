import {expect, it} from 'vitest'
import {InvalidInputError, UnsupportedError} from '../../src/lib/core/errors.ts'
import {until} from '../helpers/until.ts'
import {type BusContractOptions, numbered, orNothing, PATIENCE_MS, QUIET_MS, Scene, unique, values} from './bus-world.ts'

/** What operators do: change topics, look at nodes and groups, read and wait. Part of busAdminContract. */
export function operations(options: BusContractOptions): void {
  changingTopics(options)
  nodes(options)
  describingGroups(options)
  waitingReads(options)
}

function changingTopics(options: BusContractOptions): void {
  it('changes the retention of a topic, and leaves what is not named', async () => {
    const scene = await Scene.open(options)
    const {admin, topic} = await scene.withTopic(2)
    const retention = async () => {
      const {retentionMs, retentionBytes} = await admin.describeTopic(topic)
      return {retentionMs, retentionBytes}
    }
    await admin.alterTopic(topic, {retentionMs: 3_600_000})
    await expect.poll(retention, {timeout: PATIENCE_MS}).toEqual({retentionMs: 3_600_000, retentionBytes: null})
    await admin.alterTopic(topic, {retentionMs: null, retentionBytes: 2_000_000})
    await expect.poll(retention, {timeout: PATIENCE_MS}).toEqual({retentionMs: null, retentionBytes: 2_000_000})
    await expect(admin.alterTopic(unique('missing'), {retentionMs: 1})).rejects.toMatchObject({code: 'COINPIPE_UNKNOWN_TOPIC'})
    await expect(admin.alterTopic(topic, {retentionMs: -5})).rejects.toMatchObject({code: 'COINPIPE_INVALID_INPUT'})
  })

  it('sets and unsets further settings, or says that it has none of them and changes nothing', async () => {
    const scene = await Scene.open(options)
    const {admin, topic} = await scene.withTopic(1)
    const [name, value] = ['max.message.bytes', '2000000']
    const settings = async () => (await admin.describeTopic(topic)).settings
    const changed = admin.alterTopic(topic, {retentionMs: 3_600_000, settings: {[name]: value}})
    const refusal = await changed.catch((error: unknown) => error)
    if (refusal !== undefined) {
      expect(refusal).toBeInstanceOf(UnsupportedError)
      expect(String(refusal)).toContain(name)
      expect(await admin.describeTopic(topic)).toMatchObject({retentionMs: null, settings: {}})
      return
    }
    await expect.poll(settings, {timeout: PATIENCE_MS}).toMatchObject({[name]: value})
    await admin.alterTopic(topic, {settings: {[name]: null}})
    await expect.poll(settings, {timeout: PATIENCE_MS}).not.toHaveProperty([name])
  })

  it('takes replicas and settings for a new topic, as far as it has them, and says who holds the partitions', async () => {
    const scene = await Scene.open(options)
    const {admin} = await scene.connect()
    const topic = unique('topic')
    const config = {partitions: 2, retentionMs: null, retentionBytes: null, replicas: 1, settings: {'min.insync.replicas': '1'}}
    await admin.ensureTopic(topic, config)
    await admin.ensureTopic(topic, config)
    const {replicas, replication} = await admin.describeTopic(topic)
    expect(replicas).toBe(1)
    expect([0, 2]).toContain(replication.length)
    for (const [index, {partition, leader, isr}] of replication.entries()) {
      expect(partition).toBe(index)
      expect(isr).toContain(leader)
    }
  })

  it('elects the preferred leaders, with nothing left to do on a healthy topic', async () => {
    const scene = await Scene.open(options)
    const {admin, topic} = await scene.withTopic(2)
    for (const {error} of await admin.electLeaders([topic])) expect(error).toBeNull()
  })
}

function nodes(options: BusContractOptions): void {
  it('says which nodes there are, one of them the controller, and what they hold', async () => {
    const scene = await Scene.open(options)
    const {admin} = await scene.withTopic(3)
    const found = await admin.nodes()
    expect(found.filter((node) => node.controller)).toHaveLength(1)
    expect(new Set(found.map((node) => node.id)).size).toBe(found.length)
    for (const node of found) {
      expect(node.address).not.toBe('')
      expect(node.replicas).toBeGreaterThanOrEqual(node.leaders)
      expect(node.outOfSync).toBeLessThanOrEqual(node.replicas)
    }
    expect(found.reduce((sum, node) => sum + node.leaders, 0)).toBeGreaterThanOrEqual(3)
  })

  it('lists the settings of a node, and refuses one that there is not', async () => {
    const scene = await Scene.open(options)
    const {admin} = await scene.connect()
    const [node] = await admin.nodes()
    const names = (await admin.nodeSettings(String(node?.id))).map((setting) => setting.name)
    expect(names).not.toHaveLength(0)
    expect(new Set(names).size).toBe(names.length)
    await expect(admin.nodeSettings('987654')).rejects.toBeInstanceOf(InvalidInputError)
    await expect(admin.alterNode('987654', {any: '1'})).rejects.toBeInstanceOf(InvalidInputError)
  })

  it('changes a setting of a running node and takes it back, or says that it cannot', async () => {
    const scene = await Scene.open(options)
    const {admin} = await scene.connect()
    const [node] = await admin.nodes()
    const id = String(node?.id)
    // May be changed while the broker runs, and does no harm: no test has a compacted topic.
    const name = 'log.cleaner.io.buffer.load.factor'
    const refusal = await admin.alterNode(id, {[name]: '0.8'}).catch((error: unknown) => error)
    if (refusal !== undefined) return expect(refusal).toBeInstanceOf(UnsupportedError)
    const setting = async () => (await admin.nodeSettings(id)).find((candidate) => candidate.name === name)
    await expect.poll(setting, {timeout: PATIENCE_MS}).toMatchObject({value: '0.8', isDefault: false})
    await admin.alterNode(id, {[name]: null})
    await expect.poll(setting, {timeout: PATIENCE_MS}).toMatchObject({isDefault: true})
  })
}

function describingGroups(options: BusContractOptions): void {
  it('describes a group: stable with its members, empty when they have left', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(2)
    const group = unique('group')
    const reader = scene.subscribe(bus, {group, topics: [topic]})
    await until('assigned', () => reader.subscription.assignment().length === 2, PATIENCE_MS)
    const stable = await until('stable', async () => {
      const description = await admin.describeGroup(group)
      return description.phase === 'stable' ? description : null
    })
    expect(stable.members).toMatchObject([{instanceId: null, partitions: [0, 1].map((partition) => ({topic, partition}))}])
    expect(stable.members[0]?.client).toBeTruthy()
    await bus.publish(numbered(topic, 1))
    await reader.take(1)
    await reader.subscription.close()
    await expect.poll(() => admin.describeGroup(group), {timeout: PATIENCE_MS}).toMatchObject({phase: 'empty', members: []})
  })

  it('names the instance of a static member', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    if (!bus.capabilities.staticMembership) return
    const group = unique('group')
    const reader = scene.subscribe(bus, {group, topics: [topic], instanceId: 'one'})
    await until('assigned', () => reader.subscription.assignment().length === 1, PATIENCE_MS)
    expect((await admin.describeGroup(group)).members.map(({instanceId}) => instanceId)).toEqual(['one'])
  })

  it('describes a group that nobody is in', async () => {
    const scene = await Scene.open(options)
    const {admin} = await scene.connect()
    const group = unique('nobody')
    const {phase, members} = await admin.describeGroup(group)
    expect(members).toEqual([])
    expect(['empty', 'dead']).toContain(phase)
    expect(await admin.listGroups()).not.toContain(group)
  })
}

function waitingReads(options: BusContractOptions): void {
  const LONG_MS = 20_000

  it('waits for a first record, and answers as soon as it is there', async () => {
    const scene = await Scene.open(options)
    const {admin, topic} = await scene.withTopic(1)
    const {bus: other} = await scene.connect()
    const startMs = performance.now()
    const waiting = admin.read({topic, partition: 0, offset: 0}, 10, {waitMs: LONG_MS})
    expect(await orNothing(waiting, QUIET_MS)).toBe('nothing')
    await other.publish(numbered(topic, 1))
    expect(values(await waiting)).toEqual(['0'])
    expect(performance.now() - startMs).toBeLessThan(LONG_MS / 2)
  })

  it('answers with nothing when the wait is over', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 2))
    const startMs = performance.now()
    expect(await admin.read({topic, partition: 0, offset: 2}, 10, {waitMs: 300})).toEqual([])
    // Timers may fire a little early.
    expect(performance.now() - startMs).toBeGreaterThan(290)
    expect(performance.now() - startMs).toBeLessThan(LONG_MS / 2)
    expect(await admin.read({topic, partition: 0, offset: 99}, 10)).toEqual([])
    expect(values(await admin.read({topic, partition: 0, offset: 1}, 10, {waitMs: LONG_MS}))).toEqual(['1'])
  })

  it('ends a wait when it is closed', async () => {
    const scene = await Scene.open(options)
    const {admin, topic} = await scene.withTopic(1)
    const waiting = Promise.allSettled([admin.read({topic, partition: 0, offset: 0}, 10, {waitMs: LONG_MS})])
    expect(await orNothing(waiting, QUIET_MS)).toBe('nothing')
    await admin.close()
    expect(await orNothing(waiting, LONG_MS / 2)).not.toBe('nothing')
  })
}
