import type {NodeSpec} from './spec.ts'

interface Known {
  /** What the server writes. */
  readonly seen: RegExp
  readonly remedy: (spec: NodeSpec) => string
}

/** Why servers fail to start, by what they write; it is all that they give. */
const KNOWN: readonly Known[] = [
  {
    seen: /Address already in use|BindException/,
    remedy: ({listen}) => `see who has the port on ${listen}, and stop it: lsof -nP -iTCP -sTCP:LISTEN`,
  },
  {
    seen: /Cannot assign requested address|Unable to bind/,
    remedy: ({host}) => `'${host}' is not an address of this machine: check --id and --hosts, or name one of its own with --listen`,
  },
  {
    seen: /UnknownHostException|Unresolved address|Unable to resolve/,
    remedy: ({hosts}) =>
      `let this machine know the names ${hosts.join(', ')} (in /etc/hosts, the same on every server), or give addresses with --hosts`,
  },
  {
    seen: /Stored node id|Configured (broker|node)\.id|myid/,
    remedy: () => 'its data is of another node: give the --id that it had, or another --data-dir',
  },
  {
    seen: /InconsistentClusterId|INCONSISTENT_CLUSTER_ID|Invalid cluster\.id/,
    remedy: () => 'its data is of another cluster: give the same --cluster-id, or the same --hosts in the same order, on every server',
  },
  {
    seen: /OutOfMemoryError|Could not reserve enough space|insufficient memory/,
    remedy: () => 'see what memory is planned: add --plan; change it with --heap',
  },
  {seen: /UnsupportedClassVersion|Security Manager|Unrecognized VM option/i, remedy: () => 'let JAVA_HOME name a Java 17'},
  {seen: /No space left on device/, remedy: () => 'make room on the disk of the data folder, or choose another with --data-dir'},
  {
    seen: /Unable to gossip with any peers/,
    remedy: ({hosts}) => `start Cassandra on ${hosts[0]} first, and see that this machine reaches its port 7000`,
  },
  {
    seen: /already exists, cancelling join/,
    remedy: ({host}) =>
      `the others know this node, whose data is gone: let it take its own place, once, with JDK_JAVA_OPTIONS=-Dcassandra.replace_address_first_boot=${host}`,
  },
]

/** What to do about what a server wrote before it ended. */
export function remedyOf(text: string, spec: NodeSpec): string[] {
  const known = KNOWN.filter(({seen}) => seen.test(text)).map(({remedy}) => remedy(spec))
  return known.length > 0 ? known : ['what it wrote says why; its settings are in its folder, and --plan prints them']
}
