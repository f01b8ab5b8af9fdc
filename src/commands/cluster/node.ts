import {join} from 'node:path'
import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../../lib/cli/base-command.ts'
import {cacheFlag, endlessFlags} from '../../lib/cli/flags.ts'
import {describePlan, type NodePlan, planOf} from '../../lib/cluster/node/describe.ts'
import {machineMb, parseBeside, parseMb} from '../../lib/cluster/node/options.ts'
import {type NodeRun, runNode} from '../../lib/cluster/node/run.ts'
import {KAFKA_MODES, NODE_KINDS, planNode} from '../../lib/cluster/node/spec.ts'

export default class ClusterNode extends BaseCommand {
  static override summary = 'Run one node of a cluster of real servers, in the foreground.'
  static override description =
    `What launchd or systemd runs on each server: examples/three-servers. Every server is given the same --hosts and works out the same settings. Kafka listens for
clients on 9092, and between servers on 9093 and 9094; ZooKeeper on 2181, 2888 and 3888; Cassandra on 9042 and 7000. SIGTERM stops it in order.`
  static override examples = [
    {description: 'The second of three brokers', command: '<%= config.bin %> <%= command.id %> kafka --id 2 --hosts mac1,mac2,mac3'},
    {
      description: 'What a Cassandra node would get on a machine of 8 GiB; starts nothing',
      command: '<%= config.bin %> <%= command.id %> cassandra --id 1 --hosts mac1,mac2,mac3 --memory 8GiB --plan',
    },
  ]
  static override args = {kind: Args.string({description: 'What to run.', options: [...NODE_KINDS], required: true})}
  static override flags = {
    ...cacheFlag,
    for: endlessFlags.for,
    'drain-timeout': endlessFlags['drain-timeout'],
    id: Flags.integer({summary: "This server's place in --hosts, from 1.", required: true, env: 'COINPIPE_ID'}),
    hosts: Flags.string({
      summary: 'Name or address of every server, in the same order on each.',
      helpValue: '<host,…>',
      required: true,
      env: 'COINPIPE_HOSTS',
    }),
    mode: Flags.option({
      summary: "What keeps Kafka's metadata: its own controllers (kraft, 4.3), or ZooKeeper (3.9).",
      options: KAFKA_MODES,
      default: 'kraft' as const,
      env: 'COINPIPE_MODE',
    })(),
    external: Flags.string({
      summary: 'Address that clients of this broker are told; default: this server, port 9092.',
      helpValue: '<host:port>',
      env: 'COINPIPE_EXTERNAL',
    }),
    listen: Flags.string({summary: 'Address to listen on; default: what --hosts says of this server.', env: 'COINPIPE_LISTEN'}),
    'cluster-id': Flags.string({
      summary: 'Name or id of the cluster, the same on every server; default: made of --hosts.',
      env: 'COINPIPE_CLUSTER_ID',
    }),
    memory: Flags.string({
      summary: 'Memory of this machine, for example 8GiB; default: what it has.',
      helpValue: '<size>',
      env: 'COINPIPE_MEMORY',
    }),
    heap: Flags.string({summary: 'Java heap; default: a share of --memory.', helpValue: '<size>', env: 'COINPIPE_HEAP'}),
    beside: Flags.string({
      summary: 'What else runs on this machine: kafka, zookeeper, cassandra, or none; default: the other two, ZooKeeper in its mode only.',
      helpValue: '<kind,…>',
      env: 'COINPIPE_BESIDE',
    }),
    repository: Flags.string({
      summary: 'Base address of a Maven repository to fetch jars from; default: Maven fetches them, else the one in its settings.',
      helpValue: '<url>',
      env: 'COINPIPE_REPOSITORY',
    }),
    plan: Flags.boolean({summary: 'Print the memory plan, settings and command line, and start nothing.', env: 'COINPIPE_PLAN'}),
  }

  async run(): Promise<NodePlan | NodeRun> {
    const {args, flags} = await this.parse(ClusterNode)
    const {mode, id, external, listen, repository} = flags
    const spec = planNode({
      kind: NODE_KINDS.find((kind) => kind === args.kind) ?? 'kafka',
      id,
      hosts: flags.hosts.split(','),
      mode,
      external,
      listen,
      clusterId: flags['cluster-id'],
      totalMb: flags.memory === undefined ? machineMb() : parseMb(flags.memory),
      heapMb: flags.heap === undefined ? undefined : parseMb(flags.heap),
      beside: flags.beside === undefined ? undefined : parseBeside(flags.beside),
    })
    const folder = join(flags['data-dir'] ?? this.config.dataDir, 'nodes', spec.name)
    if (flags.plan) {
      const plan = planOf(spec, folder)
      if (!this.jsonEnabled()) for (const line of describePlan(plan)) this.log(line)
      return plan
    }
    const context = this.start(flags)
    const cacheDir = flags['cache-dir'] ?? this.config.cacheDir
    return await runNode(spec, {folder, cacheDir, repository, write: (text) => context.status.write(text)}, context)
  }
}
