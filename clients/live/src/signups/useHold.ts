import { useEffect, useState } from 'react'
import type { Feed } from '@usher/client/react'

/** A reader who is so near to the top has not begun to read further down. */
const TOP_PX = 24

const isKeyboardFocus = (element: EventTarget | null): boolean =>
  element instanceof Element && element.matches('.list :focus-visible')

/** Keep back what comes while somebody reads: further down the page, going through the rows by keyboard, or details. */
export function useHold(feed: Feed, isReadingDetails: boolean): void {
  const [isAway, setAway] = useState(false)
  const [isOnRow, setOnRow] = useState(false)
  useEffect(() => {
    const scrolled = (): void => setAway(scrollY > TOP_PX)
    const focused = (): void => setOnRow(isKeyboardFocus(document.activeElement))
    const blurred = (event: FocusEvent): void => setOnRow(isKeyboardFocus(event.relatedTarget))
    scrolled()
    addEventListener('scroll', scrolled, { passive: true })
    addEventListener('focusin', focused)
    addEventListener('focusout', blurred)
    return () => {
      removeEventListener('scroll', scrolled)
      removeEventListener('focusin', focused)
      removeEventListener('focusout', blurred)
    }
  }, [])
  const isReading = isAway || isOnRow || isReadingDetails
  useEffect(() => feed.hold(isReading), [feed, isReading])
}
