import { useEffect, useState, type ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { State, UsherError } from '@usher/client'
import { useConnection, useNotificationEvent } from '@usher/client/react'
import { useParts } from '../parts'
import { sentence, texts } from '../texts'
import { clockTime, useSecondsUntil } from '../time'
import { useIsLost, whyOf } from './lost'

const { bar: words, connection } = texts

/** At the foot of the page, over it, so that nothing moves: what is wrong, and what is done about it. */
export function Bar({
  reading,
  reload,
}: {
  readonly reading: UsherError | null
  readonly reload: () => void
}): ReactNode {
  const state = useConnection()
  const isLost = useIsLost(state)
  const hasGap = useGap()
  const content =
    state.status === 'reconnecting' ? (
      isLost && <Reconnecting state={state} retry={state.reconnectNow} />
    ) : state.status === 'offline' ? (
      <p>{words.offline}</p>
    ) : state.status === 'paused' ? (
      <Sentence text={words.paused} action={connection.resume} act={state.resume} />
    ) : state.status === 'closed' ? (
      <Sentence
        text={`${words.closed} ${sentence(state.error?.message ?? '')}`}
        action={texts.tryAgain}
        act={state.reconnectNow}
      />
    ) : reading ? (
      <Unread error={reading} reload={reload} />
    ) : (
      hasGap.is && <Sentence text={words.incomplete} action={texts.close} act={hasGap.close} />
    )
  return content ? (
    <aside className="bar" data-status={state.status} aria-label={connection.title}>
      {content}
    </aside>
  ) : null
}

interface SentenceProps {
  readonly text: ReactNode
  readonly action: string
  readonly act: () => void
}

const Sentence = ({ text, action, act }: SentenceProps): ReactNode => (
  <>
    <p>{text}</p>
    <Button className="button small" onPress={act}>
      {action}
    </Button>
  </>
)

type Lost = Extract<State, { status: 'reconnecting' }>

function Reconnecting({ state, retry }: { readonly state: Lost; readonly retry: () => void }): ReactNode {
  const seconds = useSecondsUntil(state.retryAt)
  const text = (
    <>
      {whyOf(state.error)} <span className="countdown">{words.tryingIn(seconds)}</span>{' '}
      <span className="quiet">{words.listAsOf(clockTime(state.since))}</span>
    </>
  )
  return <Sentence text={text} action={connection.retry} act={retry} />
}

function Unread({ error, reload }: { readonly error: UsherError; readonly reload: () => void }): ReactNode {
  const text = (
    <>
      {words.reading} {sentence(error.message)}{' '}
      {error.requestId && <span className="quiet">{texts.requestId(error.requestId)}</span>}
    </>
  )
  return <Sentence text={text} action={texts.tryAgain} act={reload} />
}

/** Whether what was missed could not all be replayed, until somebody has read that or it is old news. */
function useGap(): { readonly is: boolean; readonly close: () => void } {
  const { clock } = useParts()
  const [at, setAt] = useState<number | null>(null)
  useNotificationEvent('synced', ({ complete }) => setAt(complete ? null : clock.now()))
  useEffect(() => {
    if (at === null) return undefined
    const timer = clock.setTimeout(() => setAt(null), 30_000)
    return () => clock.clearTimeout(timer)
  }, [at, clock])
  return { is: at !== null, close: () => setAt(null) }
}
