/** What stands where the list would be when there is none. */
import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { UsherError } from '@usher/client'
import { ask } from '../address'
import { sentence, texts } from '../texts'
import { useLasting } from '../time'

const { list: words } = texts

export const Empty = ({ tenant }: { readonly tenant: string }): ReactNode => (
  <section className="instead">
    <h2>{words.empty}</h2>
    <p>{words.emptyText(tenant)}</p>
  </section>
)

export const Nothing = (): ReactNode => (
  <section className="instead">
    <h2>{words.nothing}</h2>
    <p>{words.nothingText}</p>
    <Button className="button" onPress={() => ask({ q: '', joinedVia: '' })}>
      {texts.filters.clear}
    </Button>
  </section>
)

export const Failed = ({ error, again }: { readonly error: UsherError; readonly again: () => void }): ReactNode => (
  <section className="instead">
    <h2>{words.failed}</h2>
    <p>{sentence(error.message)}</p>
    {error.requestId && <p className="quiet">{texts.requestId(error.requestId)}</p>}
    <Button className="button" onPress={again}>
      {texts.tryAgain}
    </Button>
  </section>
)

const SKELETON_MS = 300

/** Lines that look as if they were about to be written; most lists are there before anybody sees them. */
export function Loading(): ReactNode {
  const isLong = useLasting(true, SKELETON_MS)
  if (!isLong) return null
  return (
    <div className="skeleton">
      <p className="unseen">{words.loading}</p>
      {[52, 38, 61, 45, 57, 41].map((width) => (
        <div key={width} className="line" style={{ width: `${width}%` }} aria-hidden="true" />
      ))}
    </div>
  )
}
