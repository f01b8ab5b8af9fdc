import {type CaptureEntry, CaptureError, readCaptureFile} from '../../core/capture.ts'

/** The entries of a capture as far as it can be read: one whose recorder was killed breaks off in the middle. Rejects where not even its start can be read. */
export async function* readableEntries(path: string): AsyncGenerator<CaptureEntry> {
  let isStarted = false
  try {
    for await (const entry of readCaptureFile(path)) {
      isStarted = true
      yield entry
    }
  } catch (error) {
    if (!(isStarted && error instanceof CaptureError)) throw error
  }
}
