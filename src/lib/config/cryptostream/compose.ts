import {parse} from 'yaml'
import {isTree} from '../path.ts'

/** What a compose file says about CryptoStream: which sections of the conf files its services start. */
export interface Compose {
  readonly started: ReadonlySet<string>
  /** Services that start no producer or consumer: databases, brokers, user interfaces. */
  readonly others: readonly {readonly service: string; readonly image: string}[]
}

/** CryptoStream's services run `python …_producer.py SECTION` or `…_consumer.py SECTION`. */
const START = /\S*_(?:producer|consumer|dataloader)\.py\s+([A-Za-z0-9_-]+)/g

/** Undefined where the text is no compose file. */
export function parseCompose(text: string): Compose | undefined {
  const document: unknown = parse(text, {merge: true, logLevel: 'silent'})
  if (!isTree(document) || !isTree(document.services)) return undefined
  const started = new Set<string>()
  const others: {service: string; image: string}[] = []
  for (const [service, settings] of Object.entries(document.services)) {
    const sections = startedBy(isTree(settings) ? settings.command : undefined)
    for (const section of sections) started.add(section)
    if (sections.length === 0) others.push({service, image: isTree(settings) ? String(settings.image ?? 'no image') : 'no image'})
  }
  return {started, others}
}

function startedBy(command: unknown): string[] {
  const text = Array.isArray(command) ? command.join(' ') : String(command ?? '')
  return [...text.matchAll(START)].flatMap(([, section]) => (section === undefined ? [] : [section]))
}
