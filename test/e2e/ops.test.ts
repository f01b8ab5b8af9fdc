import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {embeddedBus} from '../helpers/embedded-bus.ts'
import {COINPIPE, coinpipe, type Ended, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const KEEP = {retentionMs: 604_800_000, retentionBytes: null}

/** A data folder whose log has 30 keyed records in topic `my.events`, of which group `reader` has read 4 in partition 0. */
async function filled() {
  const folder = await tempDir()
  const opened = await embeddedBus({path: join(folder, 'log', 'coinpipe-log.sqlite')})
  const {bus} = opened
  await bus.ensureTopic('my.events', {partitions: 3, ...KEEP})
  await bus.publish(Array.from({length: 30}, (_, at) => ({topic: 'my.events', key: `key-${at % 10}`, value: `${at}`})))
  await bus.resetGroup('reader', [{topic: 'my.events', partition: 0, offset: 4}])
  const run = (...args: readonly string[]): Promise<Ended> => coinpipe(...args, '--data-dir', folder)
  return {...opened, folder, run}
}

function answer({stdout, code}: Ended) {
  expect(code).toBe(0)
  return JSON.parse(stdout)
}

describe('coinpipe topics', () => {
  it('creates, lists, describes, alters and deletes', async () => {
    const folder = await tempDir()
    const run = (...args: readonly string[]) => coinpipe(...args, '--data-dir', folder)
    expect(await run('topics', 'list')).toEqual({code: 0, stdout: '', stderr: 'there is no topic yet\n'})
    const create = ['topics', 'create', 'my.events', '--partitions', '2', '--retention', '7d', '--retention-bytes', '1GiB']
    expect(await run(...create)).toEqual({code: 0, stdout: '', stderr: "created 'my.events'\n"})
    expect(answer(await run(...create, '--json'))).toMatchObject({created: false, retentionMs: 604_800_000, retentionBytes: 1024 ** 3})
    expect((await run('topics', 'list')).stdout).toBe(
      [
        'topic      partitions  replicas  records  retention  size limit  under-replicated',
        'my.events           2         1        0         7d     1.0 GiB                 0',
        '',
      ].join('\n'),
    )
    const altered = answer(await run('topics', 'alter', 'my.events', '--retention', 'forever', '--json'))
    expect(altered).toMatchObject({topic: 'my.events', retentionMs: null, retentionBytes: 1024 ** 3})
    const described = await run('topics', 'describe', 'my.events')
    expect(described.stdout).toMatch(/^retention {3}forever$/m)
    expect(described.stdout).toMatch(/^ +1 +0 +0 +0$/m)
    expect(answer(await run('topics', 'delete', 'my.events', '--yes', '--json'))).toEqual({deleted: ['my.events']})
    expect(answer(await run('topics', 'list', '--json'))).toEqual([])
  })

  it('adds partitions, and says which keys move', async () => {
    const {bus, run} = await filled()
    const asked = await run('topics', 'add-partitions', 'my.events', '--partitions', '6')
    expect(asked).toMatchObject({code: 2, stdout: '', stderr: expect.stringMatching(/of 10 keys .*of any keys it is 50\.0 %/)})
    expect((await bus.describeTopic('my.events')).partitions).toBe(3)
    const added = answer(await run('topics', 'add-partitions', 'my.events', '--partitions', '6', '--yes', '--json'))
    expect(added).toMatchObject({before: 3, after: 6, keys: {sampled: 30, keyed: 30, keys: 10, placedOtherwise: 0}})
    expect((await bus.describeTopic('my.events')).partitions).toBe(6)
    expect(await run('topics', 'add-partitions', 'my.events', '--partitions', '6', '--yes')).toMatchObject({code: 2})
  })

  it('trims what it says', async () => {
    const {bus, run} = await filled()
    const plan = answer(await run('topics', 'trim', 'my.events', '--partition', '0', '--before', '3', '--yes', '--json'))
    expect(plan).toEqual([{topic: 'my.events', partition: 0, earliest: 0, before: 3, records: 3}])
    expect((await bus.describeTopic('my.events')).offsets[0]).toMatchObject({earliest: 3})
    expect(await run('topics', 'trim', 'my.events', '--before', '1h')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'there is nothing to remove\n',
    })
    expect(await run('topics', 'trim', 'my.events')).toMatchObject({code: 2, stderr: expect.stringContaining('--before or --all')})
  })

  it('has nobody to elect', async () => {
    const {run} = await filled()
    const elected = await run('topics', 'elect-leaders')
    expect(elected).toEqual({code: 0, stdout: '', stderr: 'there is one copy of everything: nobody to elect\n'})
  })
})

describe('what takes something away', () => {
  it.each([
    ['topics', 'delete', 'my.events'],
    ['topics', 'trim', 'my.events', '--all'],
    ['topics', 'add-partitions', 'my.events', '--partitions', '4'],
    ['topics', 'alter', 'my.events', '--retention', '1h'],
    ['groups', 'delete', 'reader'],
  ])('asks, and without a terminal wants --yes: %s %s', async (...args) => {
    const {bus, run} = await filled()
    const before = await Promise.all([bus.describeTopic('my.events'), bus.listGroups()])
    expect(await run(...args)).toMatchObject({code: 2, stderr: expect.stringMatching(/COINPIPE_NOT_CONFIRMED[\s\S]*--yes/)})
    expect(await Promise.all([bus.describeTopic('my.events'), bus.listGroups()])).toEqual(before)
  })
})

describe('coinpipe groups', () => {
  it('lists, describes and shows the lag', async () => {
    const {bus, run} = await filled()
    const latest = (await bus.describeTopic('my.events')).offsets[0]!.latest
    const lag = latest - 4
    const none = {memberId: null, clientId: null, host: null}
    const row = {group: 'reader', topic: 'my.events', partition: 0, committed: 4, latest, lag, ...none}
    expect(answer(await run('groups', 'list', '--json'))).toEqual([{group: 'reader', phase: 'empty', members: 0, partitions: 1, lag}])
    expect(answer(await run('groups', 'lag', '--json'))).toEqual([row])
    expect(answer(await run('groups', 'describe', 'reader', '--json'))).toMatchObject({
      group: 'reader',
      phase: 'empty',
      members: [],
      lag: [row],
    })
    const shown = await run('groups', 'lag', 'reader')
    expect(shown.stdout.split('\n')[0]).toBe('group   topic      partition  committed  latest  lag  member')
  })

  it('previews a reset, then does it', async () => {
    const {bus, run} = await filled()
    const preview = await run('groups', 'reset', 'reader', '--to', 'earliest')
    expect(preview.stdout).toMatch(/^my\.events +0 +4 +0 +4 +0$/m)
    expect(preview.stderr).toContain('--execute')
    expect(await bus.lag('reader')).toMatchObject([{committed: 4}])
    const done = answer(await run('groups', 'reset', 'reader', '--shift', '-1', '--execute', '--json'))
    expect(done).toMatchObject({group: 'reader', executed: true, partitions: [{current: 4, next: 3, again: 1, skipped: 0}]})
    expect(await bus.lag('reader')).toMatchObject([{committed: 3}])
    const past = await run('groups', 'reset', 'reader', '--to', '1h', '--topic', 'my.events', '--execute')
    expect(past.code).toBe(0)
    expect((await bus.lag('reader')).map(({committed}) => committed)).toEqual([0, 0, 0])
  })

  it('refuses to reset or delete a group that runs', async () => {
    const {bus, context, run} = await filled()
    const subscription = bus.subscribe({group: 'reader', topics: ['my.events']}, context.signal)
    await subscription[Symbol.asyncIterator]().next()
    const preview = await run('groups', 'reset', 'reader', '--to', 'latest')
    expect(preview).toMatchObject({code: 0, stderr: expect.stringContaining('1 running member: stop')})
    const refused = {code: 2, stdout: '', stderr: expect.stringContaining('[COINPIPE_GROUP_ACTIVE]')}
    expect(await run('groups', 'reset', 'reader', '--to', 'latest', '--execute')).toMatchObject(refused)
    expect(await run('groups', 'delete', 'reader', '--yes')).toMatchObject(refused)
    await subscription.close()
    expect(answer(await run('groups', 'delete', 'reader', '--yes', '--json'))).toEqual({deleted: 'reader'})
    expect(await bus.listGroups()).toEqual([])
  })

  it('watches: a group that nobody runs has stopped', async () => {
    const {run} = await filled()
    const {stdout, code} = await run('groups', 'lag', '--watch', '--interval', '20ms', '--count', '10', '--json')
    const looks = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(code).toBe(0)
    expect(looks).toHaveLength(10)
    expect(looks[8]).toMatchObject([{group: 'reader', status: 'OK', complete: 0.9}])
    expect(looks[9]).toMatchObject([{group: 'reader', status: 'ERR', complete: 1, partitions: [{status: 'STOP', committed: 4}]}])
  })

  it('watches until Ctrl-C, and then exits 0', async () => {
    const {folder} = await filled()
    const {child, saw, ended} = start(COINPIPE, ['groups', 'lag', '--watch', '--interval', '1h', '--data-dir', folder])
    await saw(/reader: not judged yet \(look 1 of 10\)/)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({code: 0})
  })
})

describe('coinpipe nodes', () => {
  it('shows the one node of the embedded log, and its settings', async () => {
    const {run} = await filled()
    expect(answer(await run('nodes', '--json'))).toMatchObject([{id: 'embedded', controller: true, leaders: 3, replicas: 3, outOfSync: 0}])
    expect((await run('nodes', 'config', 'embedded')).stdout).toMatch(/^journal_mode +wal +a restart$/m)
    expect(await run('nodes', 'config', 'embedded', '--changed')).toMatchObject({stdout: '', stderr: 'every setting is the default\n'})
    expect(await run('nodes', 'config', '7')).toMatchObject({code: 2, stderr: expect.stringContaining("no node '7'")})
    expect(await run('nodes', 'alter', 'embedded', '--setting', 'a=b', '--yes')).toMatchObject({code: 2})
  })
})

describe('a name that is not there', () => {
  it.each([
    [['topics', 'describe', 'my.event'], 'did you mean: my.events'],
    [['topics', 'alter', 'my.event', '--retention', '1h'], 'did you mean: my.events'],
    [['topics', 'delete', 'my.events', 'xyz', '--yes'], "no topic 'xyz'"],
    [['topics', 'trim', 'my.event', '--all', '--yes'], 'did you mean: my.events'],
    [['topics', 'elect-leaders', 'my.event'], 'did you mean: my.events'],
    [['groups', 'describe', 'raeder'], 'did you mean: reader'],
    [['groups', 'lag', 'raeder'], 'did you mean: reader'],
    [['groups', 'reset', 'raeder', '--to', 'latest'], 'did you mean: reader'],
    [['groups', 'delete', 'raeder', '--yes'], 'did you mean: reader'],
    [['groups', 'reset', 'reader', '--to', 'latest', '--topic', 'my.event'], 'did you mean: my.events'],
    [['groups', 'reset', 'reader', '--to', 'latest', '--topic', 'my.events', '--partition', '9'], 'has no partition 9'],
    [['topics', 'create', 'my events'], 'is not allowed'],
    [['topics', 'create', 'x', '--replicas', '2'], 'keeps one copy'],
  ])('is refused: %j', async (args, said) => {
    const {run} = await filled()
    expect(await run(...args)).toMatchObject({code: 2, stdout: '', stderr: expect.stringContaining(said)})
  })
})
