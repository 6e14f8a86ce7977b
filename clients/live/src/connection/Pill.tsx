import { useEffect, type ReactNode } from 'react'
import { Button, Dialog, DialogTrigger, Heading, Popover } from 'react-aria-components'
import type { State } from '@usher/client'
import { useConnection } from '@usher/client/react'
import { Said, useAnnouncements } from '../announce/Announcer'
import { texts } from '../texts'
import { clockTime, exactTime, useLasting, useSecondsUntil } from '../time'
import { useLastEvent } from './useLastEvent'

const { connection: words, announced } = texts

const CONNECTING_MS = 1_000
const RECONNECTING_MS = 5_000

/** How the connection stands, in a word; more about it, and what can be done, on a press. */
export function Pill(): ReactNode {
  const state = useConnection()
  const lastEvent = useLastEvent()
  useSaid(state)
  // Most pages are live before anybody could read that they are connecting.
  const isFirst = state.status === 'idle' || state.status === 'connecting'
  const isLong = useLasting(isFirst, CONNECTING_MS)
  const word = isFirst && !isLong ? '' : words.words[state.status]
  return (
    <>
      <DialogTrigger>
        <Button className="pill" data-status={state.status} aria-label={words.label(words.words[state.status])}>
          <span className="dot" aria-hidden="true" />
          <span className="word">{word || '\u2026'}</span>
        </Button>
        <Popover className="popover" placement="bottom end">
          <Dialog className="about-connection">
            <Heading slot="title">{words.words[state.status]}</Heading>
            <p className="quiet">{words.explanations[state.status]}</p>
            <Facts state={state} lastEvent={lastEvent} />
            <Actions status={state.status} retry={state.reconnectNow} pause={state.pause} resume={state.resume} />
          </Dialog>
        </Popover>
      </DialogTrigger>
      <Said region="connection" />
    </>
  )
}

function Facts({ state, lastEvent }: { readonly state: State; readonly lastEvent: number | null }): ReactNode {
  const isReconnecting = state.status === 'reconnecting'
  const seconds = useSecondsUntil(isReconnecting ? state.retryAt : null)
  return (
    <dl className="facts">
      <dt>{words.since}</dt>
      <dd>
        <Time at={state.since} />
      </dd>
      <dt>{words.lastEvent}</dt>
      <dd>{lastEvent === null ? words.noEvent : <Time at={lastEvent} />}</dd>
      {isReconnecting && (
        <>
          <dt>{words.attempts}</dt>
          <dd>{state.attempt}</dd>
          <dt>{words.next}</dt>
          <dd>{words.nextIn(seconds)}</dd>
        </>
      )}
    </dl>
  )
}

const Time = ({ at }: { readonly at: number }): ReactNode => (
  <time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
    {clockTime(at)}
  </time>
)

interface ActionsProps {
  readonly status: State['status']
  readonly retry: () => void
  readonly pause: () => void
  readonly resume: () => void
}

function Actions({ status, retry, pause, resume }: ActionsProps): ReactNode {
  if (status === 'expired' || status === 'forbidden') return null
  const canRetry = status === 'reconnecting' || status === 'offline' || status === 'closed'
  return (
    <div className="actions">
      {canRetry && (
        <Button className="button" onPress={retry}>
          {words.retry}
        </Button>
      )}
      {status === 'paused' ? (
        <Button className="button" onPress={resume}>
          {words.resume}
        </Button>
      ) : (
        status !== 'closed' && (
          <Button className="button plain" onPress={pause}>
            {words.pause}
          </Button>
        )
      )}
    </div>
  )
}

/** Have what lasts said aloud. A connection that is back before five seconds have passed is not worth a word. */
function useSaid({ status }: State): void {
  const announcements = useAnnouncements()
  const isLost = useLasting(status === 'reconnecting', RECONNECTING_MS)
  const text = status === 'offline' || status === 'paused' ? announced[status] : isLost ? announced.reconnecting : ''
  useEffect(() => {
    if (!text) return undefined
    announcements.say('connection', text)
    return () => announcements.say('connection', announced.live)
  }, [text, announcements])
}
