import {until} from './until.ts'

export interface ReceivedEvent {
  readonly id: string | undefined
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the server sent
  readonly data: any
}

/** A browser's view of a server-sent event stream, over a real socket. */
export class EventStream {
  readonly events: ReceivedEvent[] = []
  comments = 0
  ended = false
  readonly #abort = new AbortController()

  static async open(url: string, lastEventId?: string): Promise<EventStream> {
    const stream = new EventStream()
    const headers: Record<string, string> = lastEventId === undefined ? {} : {'last-event-id': lastEventId}
    const response = await fetch(url, {headers, signal: stream.#abort.signal})
    if (response.status !== 200 || response.body === null) throw new Error(`status ${response.status}: ${await response.text()}`)
    void stream.#read(response.body.pipeThrough(new TextDecoderStream()))
    return stream
  }

  close(): void {
    this.#abort.abort()
  }

  named(event: string): ReceivedEvent[] {
    return this.events.filter((received) => received.event === event)
  }

  /** The first event of that name, or the first that also fits `matches`. */
  async next(event: string, matches: (received: ReceivedEvent) => boolean = () => true): Promise<ReceivedEvent> {
    return until(`event '${event}'`, () => this.named(event).find(matches))
  }

  get lastId(): string | undefined {
    return this.events.findLast(({id}) => id !== undefined)?.id
  }

  async #read(body: ReadableStream<string>): Promise<void> {
    let rest = ''
    try {
      for await (const text of body) {
        const blocks = (rest + text).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) this.#take(block)
      }
    } catch {
      // The connection was cut, by us or by the server: either way the stream has ended.
    }
    this.ended = true
  }

  #take(block: string): void {
    const field = (name: string) => block.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1]
    const data = field('data')
    if (data === undefined) this.comments++
    else this.events.push({id: field('id'), event: field('event') ?? 'message', data: JSON.parse(data)})
  }
}
