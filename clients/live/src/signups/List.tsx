import { useWindowVirtualizer, type VirtualItem } from '@tanstack/react-virtual'
import {
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
  type ReactNode,
  type Ref,
} from 'react'
import { texts } from '../texts'
import type { Row } from './rows'
import { BlankRow, BurstRow, UserRow } from './UserRow'

export interface ListHandle {
  /** Move the focus to the next row that can be opened, or the one before. */
  move(by: 1 | -1): void
  /** Move the focus to the list as a whole, without scrolling. */
  focus(): void
}

export interface ListProps {
  readonly ref: Ref<ListHandle>
  readonly rows: readonly Row[]
  readonly now: number
  /** The id of the user whose details are shown. */
  readonly opened: string
  /** Draw rows without anything in them. */
  readonly isBlank: boolean
  readonly isBusy: boolean
  readonly hasMore: boolean
  readonly more: () => void
  readonly open: (id: string) => void
  readonly toggle: (key: string) => void
}

const HEIGHTS: Readonly<Record<Row['kind'], number>> = { day: 64, left: 40, burst: 56, user: 56 }
/** What stands over the page's upper edge, and under which no row may end up. */
const HEADER = 140
/** So many rows before the end, older ones are read. */
const AHEAD = 10

/** The rows, of which only those near the window are drawn. */
export function List(props: ListProps): ReactNode {
  const { ref, rows, now, opened, isBlank, isBusy, hasMore, more } = props
  const list = useRef<HTMLOListElement>(null)
  const scrollMargin = useTop(list)
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: (index) => HEIGHTS[rows[index]?.kind ?? 'user'],
    getItemKey: useCallback((index: number) => rows[index]?.key ?? index, [rows]),
    overscan: 8,
    scrollMargin,
    scrollPaddingStart: HEADER,
    scrollPaddingEnd: HEADER / 2,
  })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? -1
  useEffect(() => {
    // Also when nothing but `isBusy` has changed: a whole page can disappear in one burst.
    if (hasMore && !isBusy && !isBlank && last >= rows.length - AHEAD) more()
  }, [hasMore, isBusy, isBlank, last, rows.length, more])
  useImperativeHandle(ref, () => ({
    focus: () => list.current?.focus({ preventScroll: true }),
    move: (by) => {
      const next = nextOf(rows, opened, by)
      if (next === undefined) return
      virtual.scrollToIndex(next, { align: 'auto' })
      focusSoon(list.current, keyOf(rows[next]!))
    },
  }))
  const draw = (item: VirtualItem): ReactNode => {
    const row = rows[item.index]!
    const style = { transform: `translateY(${item.start - virtual.options.scrollMargin}px)` }
    const shared = {
      ref: virtual.measureElement,
      'data-index': item.index,
      className: 'place',
      style,
      'aria-posinset': item.index + 1,
      'aria-setsize': hasMore ? -1 : rows.length,
    }
    if (row.kind === 'left' || row.kind === 'day')
      return (
        <li key={item.key} {...shared}>
          <Heading row={row} />
        </li>
      )
    return (
      <li key={item.key} {...shared}>
        {isBlank ? (
          <BlankRow />
        ) : row.kind === 'burst' ? (
          <BurstRow id={row.key} users={row.users} isOpen={row.isOpen} now={now} toggle={props.toggle} />
        ) : (
          <UserRow
            user={row.user}
            isInBurst={row.isInBurst}
            isOpen={row.user.id === opened}
            now={now}
            open={props.open}
          />
        )}
      </li>
    )
  }
  return (
    // Safari does not take a list without bullets for one, unless told.
    <ol
      role="list"
      ref={list}
      className="list"
      tabIndex={-1}
      aria-label={isBlank ? texts.list.hidden : texts.list.label}
      aria-busy={isBusy}
      style={{ height: virtual.getTotalSize() }}
    >
      {items.map(draw)}
    </ol>
  )
}

const Heading = ({ row }: { readonly row: Extract<Row, { kind: 'day' | 'left' }> }): ReactNode =>
  row.kind === 'day' ? <h2 className="day">{row.day}</h2> : <p className="left">{texts.list.sinceYouLeft}</p>

/** Return how far down the page an element begins. */
function useTop(element: { readonly current: HTMLElement | null }): number {
  const [top, setTop] = useState(0)
  useLayoutEffect(() => {
    const measure = (): void => setTop(Math.round((element.current?.getBoundingClientRect().top ?? 0) + scrollY))
    measure()
    // Whatever is above may become higher or lower at any time, as when a font has been loaded.
    const observer = new ResizeObserver(measure)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [element])
  return top
}

const keyOf = (row: Row): string | undefined =>
  row.kind === 'user' ? row.user.id : row.kind === 'burst' ? row.key : undefined

/** The row after or before the one that has the focus, or whose details have it; without one, the first. */
function nextOf(rows: readonly Row[], opened: string, by: 1 | -1): number | undefined {
  const key = document.activeElement?.getAttribute('data-opens') ?? opened
  let index = key ? rows.findIndex((row) => keyOf(row) === key) : by > 0 ? -1 : rows.length
  do index += by
  while (rows[index] && !keyOf(rows[index]!))
  return rows[index] ? index : undefined
}

/** A row that was far away is drawn some frames after the window has been scrolled to it. */
function focusSoon(list: HTMLElement | null, key: string | undefined, frames = 20): void {
  const button = list?.querySelector<HTMLElement>(`[data-opens="${CSS.escape(key ?? '')}"]`)
  if (button) button.focus({ preventScroll: true })
  else if (frames) requestAnimationFrame(() => focusSoon(list, key, frames - 1))
}
