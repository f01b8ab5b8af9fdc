/** Nodes that keep the copies of one token's rows. */
export interface ReplicaSet {
  readonly token: bigint
  readonly hosts: readonly string[]
}

/** Who keeps the rows of each token of the ring, by SimpleStrategy: its own node and the next ones of the ring that are others. */
export function replicaSets(tokens: ReadonlyMap<string, readonly string[]>, copies: number): ReplicaSet[] {
  const ring = [...tokens]
    .flatMap(([host, own]) => own.map((token) => ({token: BigInt(token), host})))
    .sort((a, b) => (a.token < b.token ? -1 : 1))
  return ring.map(({token}, start) => {
    const hosts = new Set<string>()
    for (let step = 0; step < ring.length && hosts.size < copies; step++) hosts.add(ring[(start + step) % ring.length]?.host ?? '')
    return {token, hosts: [...hosts]}
  })
}

/** A token by which `host` can be asked about `other`: of which these two have the copies, else one of which `other` has one. */
export function tokenFor(sets: readonly ReplicaSet[], host: string, other: string): bigint | undefined {
  const ofOther = sets.filter(({hosts}) => hosts.includes(other))
  return (ofOther.find(({hosts}) => hosts.includes(host)) ?? ofOther[0])?.token
}
