const ESCAPES: Readonly<Record<string, string>> = {n: '\n', r: '\r', t: '\t', '0': '\0'}

/** The bytes of a text in which `\n`, `\r`, `\t`, `\0`, `\xXX` and `\\` are what they stand for; any other character behind a backslash is itself. */
export function unescapeBytes(text: string): Buffer {
  return Buffer.concat(
    Array.from(text.matchAll(/\\x([0-9a-fA-F]{1,2})|\\(.)|[^\\]+|\\$/gs), ([whole, hex, escaped]) => {
      if (hex !== undefined) return Buffer.of(Number.parseInt(hex, 16))
      return Buffer.from(escaped === undefined ? whole : (ESCAPES[escaped] ?? escaped))
    }),
  )
}
