import { useEffect, useRef, type ReactNode } from 'react'
import { Button, Dialog, DialogTrigger, Heading, Popover } from 'react-aria-components'
import type { State } from '@usher/client'
import { useConnection } from '@usher/client/react'
import { Said, useAnnouncements } from '../announce/Announcer'
import { texts } from '../texts'
import { clockTime, exactTime, useLasting, useSecondsUntil } from '../time'
import { useShown, whyOf } from './lost'
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
  const shown = useShown(state)
  const isFirst = shown.status === 'idle' || shown.status === 'connecting'
  const isLong = useLasting(isFirst, CONNECTING_MS)
  const word = words.words[shown.status]
  return (
    <>
      <DialogTrigger>
        <Button className="pill" data-status={shown.status} aria-label={words.label(word)}>
          <span className="dot" aria-hidden="true" />
          <span className="word">{isFirst && !isLong ? '\u2026' : word}</span>
        </Button>
        <Popover className="popover" placement="bottom end">
          <Dialog className="about-connection">
            <Heading slot="title">{word}</Heading>
            <p className="quiet">{explanationOf(shown)}</p>
            <Facts state={shown} lastEvent={lastEvent} />
            <Actions status={shown.status} retry={state.reconnectNow} pause={state.pause} resume={state.resume} />
          </Dialog>
        </Popover>
      </DialogTrigger>
      <Said region="connection" />
    </>
  )
}

const explanationOf = (state: State): string =>
  state.status === 'reconnecting' ? `${whyOf(state.error)} ${words.fetched}` : words.explanations[state.status]

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
function useSaid(state: State): void {
  const { status } = state
  const announcements = useAnnouncements()
  const isLong = useLasting(status === 'reconnecting', RECONNECTING_MS)
  const text =
    status === 'offline' || status === 'paused' || status === 'closed'
      ? announced[status]
      : status === 'reconnecting' && isLong
        ? announced.reconnecting(whyOf(state.error))
        : ''
  /** Whether those who hear the page believe that it is not live. */
  const isOwed = useRef(false)
  useEffect(() => {
    if (text) announcements.say('connection', text)
    else if (status === 'live' && isOwed.current) announcements.say('connection', announced.live)
    // What comes now says by itself why it has come.
    else if (status === 'expired' || status === 'forbidden') announcements.hush('connection')
    if (text) isOwed.current = true
    else if (status === 'live') isOwed.current = false
  }, [text, status, announcements])
}
