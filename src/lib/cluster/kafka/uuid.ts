import {randomBytes} from 'node:crypto'

/** An id as Kafka writes them: 16 random bytes as base64url. One that begins with a dash would be read as an option by Kafka's tools. */
export function kafkaUuid(): string {
  for (;;) {
    const text = randomBytes(16).toString('base64url')
    if (!text.startsWith('-')) return text
  }
}
