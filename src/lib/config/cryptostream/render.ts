import {Document, isScalar, visit} from 'yaml'
import type {Imported} from './import.ts'

/** The text of the coinpipe.yaml: where it came from and what is different, as comments, then the config. */
export function renderImported(tree: NonNullable<Imported['tree']>, notes: readonly string[], sources: readonly string[]): string {
  const document = new Document(tree)
  visit(document, {
    Seq: (_, list) => {
      list.flow = list.items.every(isScalar)
    },
  })
  const lines = [
    `Made by 'coinpipe config import' from ${sources.join(', ')}.`,
    'What is not as it was there:',
    ...notes.map((note) => `- ${note}`),
  ]
  document.commentBefore = lines.map((line) => ` ${line}`).join('\n')
  return document.toString({lineWidth: 120, flowCollectionPadding: false})
}
