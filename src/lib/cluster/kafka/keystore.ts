import {existsSync} from 'node:fs'
import {mkdir, rename, rm} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {javaProgram} from '../jvm/java.ts'
import {runTool} from '../tools.ts'
import {KEYSTORE_PASSWORD} from './broker-settings.ts'

const TIMEOUT_MS = 30_000
const DAYS = 3650

export interface Keystore {
  /** PKCS12, with the brokers' key. */
  readonly keystore: string
  /** PEM: what clients trust. */
  readonly certificate: string
}

/** Where the files of a cluster's SSL listener are. */
export function keystoreOf(clusterFolder: string): Keystore {
  const folder = join(clusterFolder, 'tls')
  return {keystore: join(folder, 'brokers.p12'), certificate: join(folder, 'ca.pem')}
}

/** Makes one key for all brokers with a certificate that it signed itself, naming their addresses, where there is none yet. */
export async function makeKeystore({keystore, certificate}: Keystore, hosts: readonly string[], signal: AbortSignal): Promise<void> {
  if (existsSync(certificate)) return
  await mkdir(dirname(keystore), {recursive: true, mode: 0o700})
  // One that a stopped run left behind has no certificate beside it.
  await rm(keystore, {force: true})
  const store = ['-alias', 'brokers', '-keystore', keystore, '-storetype', 'PKCS12', '-storepass', KEYSTORE_PASSWORD]
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', String(DAYS)]
  const names = ['dns:localhost', ...hosts.map((host) => `ip:${host}`)].join(',')
  await keytool(['-genkeypair', ...store, ...key, '-dname', 'CN=coinpipe local cluster', '-ext', `san=${names}`], signal)
  await keytool(['-exportcert', ...store, '-rfc', '-file', `${certificate}.new`], signal)
  await rename(`${certificate}.new`, certificate)
}

async function keytool(args: readonly string[], signal: AbortSignal): Promise<void> {
  await runTool(javaProgram('keytool'), args, {signal, timeoutMs: TIMEOUT_MS, remedy: ['install a Java that has keytool']})
}
