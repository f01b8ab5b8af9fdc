/** `npm run bench`: every bench, or those that are named. Exits 1 where a bound is missed. */

/** Each bench prints what it measured, and resolves with false where a bound was missed. */
const BENCHES: Readonly<Record<string, () => Promise<{run(): Promise<boolean>}>>> = {
  startup: () => import('./startup.ts'),
  decode: () => import('./decode.ts'),
  throughput: () => import('./throughput.ts'),
  latency: () => import('./latency.ts'),
  'kafka-cluster': () => import('./kafka-cluster.ts'),
  'kafka-clients': () => import('./kafka-clients.ts'),
  'kafka-ingest': () => import('./kafka-ingest.ts'),
  'kafka-catch-up': () => import('./kafka-catch-up.ts'),
  'cassandra-write': () => import('./cassandra-write.ts'),
  'cassandra-pipe': () => import('./cassandra-pipe.ts'),
  'cassandra-catch-up': () => import('./cassandra-catch-up.ts'),
  'cassandra-zipf': () => import('./cassandra-zipf.ts'),
  'cassandra-choices': () => import('./cassandra-choices.ts'),
}

const named = process.argv.slice(2)
const names = named.length > 0 ? named : Object.keys(BENCHES)
for (const name of names) {
  const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
  if (!load) {
    process.stderr.write(`Error: there is no bench '${name}'\n  benches: ${Object.keys(BENCHES).join(', ')}\n`)
    process.exitCode = 2
    break
  }
  process.stdout.write(`\n== ${name}\n`)
  const bench = await load()
  if (!(await bench.run())) process.exitCode = 1
}
