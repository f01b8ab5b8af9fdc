import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../../lib/cli/base-command.ts'
import {cacheFlag, duration} from '../../lib/cli/flags.ts'
import {CLUSTER_KINDS, type ClusterKind, DRIVER_NAMES} from '../../lib/cluster/plan.ts'
import {ClusterService, type UpResult} from '../../lib/cluster/service.ts'
import {parseBytes} from '../../lib/core/duration.ts'

export default class ClusterUp extends BaseCommand {
  static override summary = 'Start real servers on this machine: Kafka brokers, ZooKeepers, Cassandra nodes, a schema registry.'
  static override description =
    `Every node is a process of its own on a loopback address of its own. Jars are fetched once. Ready means whole: every node answers, knows the others, and
is in sync. Again on a cluster that exists: starts what is missing of it. Ctrl-C stops what was started.`
  static override examples = [
    {description: 'Three Kafka brokers', command: '<%= config.bin %> <%= command.id %> kafka --nodes 3'},
    {
      description: 'Three brokers with three ZooKeepers, and links that can be made slow',
      command: '<%= config.bin %> <%= command.id %> kafka-zk --nodes 3 --proxy',
    },
    {
      description: 'One Cassandra node for tests, in seconds',
      command: '<%= config.bin %> <%= command.id %> cassandra --nodes 1 --fast-start',
    },
    {
      description: 'One small broker elsewhere',
      command: '<%= config.bin %> <%= command.id %> kafka --cluster small --nodes 1 --hosts 127.0.0.60',
    },
  ]
  static override args = {kind: Args.custom<ClusterKind>({description: 'What to start; default: kafka.', options: [...CLUSTER_KINDS]})()}
  static override flags = {
    ...cacheFlag,
    cluster: Flags.string({summary: 'Name of the cluster; default: its kind.', helpValue: '<name>', env: 'COINPIPE_CLUSTER'}),
    nodes: Flags.integer({
      summary: 'How many brokers, Cassandra nodes or registries, 1 to 9; default: 3, and 1 registry.',
      env: 'COINPIPE_NODES',
    }),
    proxy: Flags.boolean({
      summary: 'Let clients reach the brokers, or the Cassandra nodes, through Toxiproxy, which can slow and cut their links.',
      env: 'COINPIPE_PROXY',
    }),
    'fast-start': Flags.boolean({
      summary: "Cassandra with Java's first compiler only: ready sooner, slower for long. For tests, not for benches.",
      env: 'COINPIPE_FAST_START',
    }),
    hosts: Flags.string({
      summary: 'An address of this machine for each node; in ZooKeeper mode for the brokers, then for the ZooKeepers.',
      helpValue: '<address,…>',
      env: 'COINPIPE_HOSTS',
    }),
    port: Flags.integer({summary: 'Port for clients; the next ones are used too. Default: 9092, 9042 or 8081.', env: 'COINPIPE_PORT'}),
    heap: Flags.string({
      summary: 'Java heap of each node, for example 256MiB; ZooKeepers always have 64MiB.',
      helpValue: '<size>',
      env: 'COINPIPE_HEAP',
    }),
    driver: Flags.option({
      summary: 'How nodes run: as Java processes (jvm), or in containers (compose).',
      options: DRIVER_NAMES,
      helpValue: '<jvm|compose>',
      env: 'COINPIPE_DRIVER',
    })(),
    timeout: duration({summary: 'How long the nodes may take to be whole.', default: 180_000, env: 'COINPIPE_TIMEOUT'}),
  }

  async run(): Promise<UpResult> {
    const {args, flags} = await this.parse(ClusterUp)
    const context = this.start(flags)
    const service = new ClusterService(
      {dataDir: context.dataDir, say: (line) => this.logToStderr(line), show: (text) => context.status.setStatus(text)},
      context,
    )
    const result = await service.up({
      kind: args.kind ?? 'kafka',
      name: flags.cluster,
      nodes: flags.nodes,
      hosts: flags.hosts?.split(','),
      port: flags.port,
      heapMb: flags.heap === undefined ? undefined : parseBytes(flags.heap) / 2 ** 20,
      proxy: flags.proxy || undefined,
      fastStart: flags['fast-start'] || undefined,
      driver: flags.driver,
      cacheDir: flags['cache-dir'] ?? this.config.cacheDir,
      timeoutMs: flags.timeout,
    })
    if (!this.jsonEnabled()) for (const line of describe(result)) this.log(line)
    return result
  }
}

function describe({started, elapsedMs, status}: UpResult): string[] {
  const {name, brokers, contactPoints, toxiproxy, nodes} = status
  const where =
    brokers.length > 0
      ? `brokers ${brokers.join(',')}`
      : contactPoints.length > 0
        ? `contact points ${contactPoints.join(',')}`
        : nodes.map(({address}) => address).join(', ')
  const what = started.length === 0 ? 'was running already' : `is up after ${(elapsedMs / 1000).toFixed(1)} s`
  return [`cluster '${name}' ${what}: ${where}`, ...(toxiproxy === null ? [] : [`Toxiproxy's API: http://${toxiproxy}`])]
}
