import fc from 'fast-check'

const unit = fc.oneof(
  fc.string({unit: 'binary-ascii', minLength: 1, maxLength: 1}),
  fc.string({unit: 'grapheme', minLength: 1, maxLength: 1}),
  // What encoders get wrong: controls, quotes, lone surrogates, the ends of UTF-8's ranges.
  fc.constantFrom('\u0000', '\u001f', '"', '\\', '\u007f', '\u0080', '\u07ff', '\u0800', '\u2028', '\uffff', '😀', '\ud800', '\udc00'),
)

/** Texts of every script, with all that needs escaping, and lone surrogates. (`unit: 'binary'` takes a second to get ready.) */
export function arbitraryText(maxLength: number, minLength = 0): fc.Arbitrary<string> {
  return fc.string({unit, minLength, maxLength})
}

/** The same without lone surrogates, which UTF-8 cannot carry. */
export function arbitraryUtf8Text(maxLength: number): fc.Arbitrary<string> {
  return arbitraryText(maxLength).map((text) => text.toWellFormed())
}
