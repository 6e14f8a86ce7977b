import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { useConnection, useNotificationEvent, useNotifications } from '@usher/client/react'
import { ask, useAsked } from '../address'
import { Bar } from '../connection/Bar'
import { Up } from '../icons'
import { useParts } from '../parts'
import type { Me } from '../session/web'
import { texts } from '../texts'
import { midnightOf, useNow } from '../time'
import { Filters } from './Filters'
import { List, type ListHandle } from './List'
import { Panel } from './Panel'
import { rowsOf } from './rows'
import { Empty, Failed, Loading, Nothing } from './States'
import { useHold } from './useHold'
import { leftKey, useLeft } from './useLeft'
import { useNews } from './useNews'
import { useShortcuts } from './useShortcuts'
import { useTitle } from './useTitle'

export interface SignupsPageProps {
  readonly me: Me
  readonly tenant: { readonly slug: string; readonly name: string }
  readonly help: () => void
}

/** The tenant's sign-ups as they happen. */
export function SignupsPage({ me, tenant, help }: SignupsPageProps): ReactNode {
  const {
    clock,
    client: { random },
  } = useParts()
  const { status } = useConnection()
  const asked = useAsked()
  const { feed, ...told } = useNotifications({
    clock,
    ...(random && { random }),
    filter: { q: asked.q, joinedVia: asked.joinedVia },
  })
  const { users, newCount, hasMore, isFull, isLoaded, isLoading, error } = told
  const now = useNow()
  const isBlank = status === 'expired'
  const { leftAt, unseen } = useLeft(leftKey(tenant.slug, me.id), users)
  const [open, toggle] = useOpenBursts()
  const today = midnightOf(now)
  const rows = useMemo(() => rowsOf({ users, leftAt, open, today }), [users, leftAt, open, today])
  const list = useRef<ListHandle>(null)
  const search = useRef<HTMLInputElement>(null)
  const { user: opened } = asked
  const show = useCallback((user: string) => ask({ user }, true), [])
  const close = useCallback(() => {
    const id = opened
    ask({ user: '' })
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-opens="${CSS.escape(id)}"]`)?.focus())
  }, [opened])
  const showNew = useCallback(() => {
    list.current?.focus()
    feed.showNew()
    scrollTo({ top: 0 })
  }, [feed])

  useHold(feed, opened !== '')
  useNews(told, asked)
  useTitle(isBlank ? 0 : newCount + unseen, tenant.name)
  useFreshDetails()
  useShortcuts({
    j: () => list.current?.move(1),
    k: () => list.current?.move(-1),
    '.': showNew,
    '/': () => search.current?.focus(),
    '?': help,
    Escape: () => opened && close(),
  })
  const reload = useCallback(() => void feed.reload(), [feed])
  // After a failure the feed tries again by itself, in its own time.
  const more = useCallback(() => void (error || feed.fetchMore()), [feed, error])

  const hasRows = rows.length > 0
  return (
    <main className="signups" data-panel={(opened !== '' && !isBlank) || undefined}>
      <div className="column">
        <Filters asked={asked} inputRef={search} />
        <div className="new">
          {newCount > 0 && !isBlank && (
            <Button className="button accent" onPress={showNew}>
              <Up />
              {texts.newSignUps(newCount)}
            </Button>
          )}
        </div>
        {hasRows ? (
          <List
            ref={list}
            rows={rows}
            now={now}
            opened={opened}
            isBlank={isBlank}
            hasMore={hasMore}
            more={more}
            isBusy={status === 'catching_up' || isLoading}
            open={show}
            toggle={toggle}
          />
        ) : isBlank ? null : error && !isLoaded ? (
          <Failed error={error} again={reload} />
        ) : !isLoaded ? (
          <Loading />
        ) : asked.q || asked.joinedVia ? (
          <Nothing />
        ) : (
          <Empty tenant={tenant.name} />
        )}
        {hasRows && !isBlank && <p className="end quiet">{texts.list.end(hasMore, isFull)}</p>}
      </div>
      {opened && !isBlank && <Panel id={opened} known={users.find((user) => user.id === opened)} close={close} />}
      <Bar reading={isLoaded || hasRows ? error : null} reload={reload} />
    </main>
  )
}

function useOpenBursts(): [ReadonlySet<string>, (key: string) => void] {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const toggle = useCallback((key: string) => {
    setOpen((before) => {
      const after = new Set(before)
      if (!after.delete(key)) after.add(key)
      return after
    })
  }, [])
  return [open, toggle]
}

/** What is known of somebody is read anew when rights have changed, and after every time that they may have. */
function useFreshDetails(): void {
  const queries = useQueryClient()
  const forget = (): void => void queries.invalidateQueries({ queryKey: ['user'] })
  useNotificationEvent('rights.changed', forget)
  useNotificationEvent('synced', forget)
  useEffect(() => () => queries.removeQueries({ queryKey: ['user'] }), [queries])
}
