import { useEffect, useRef, type RefObject } from 'react'

/** Put the focus on an element when it comes, if what had the focus has gone: whoever steers by keyboard goes on there. */
export function useArrival<Target extends HTMLElement>(): RefObject<Target | null> {
  const element = useRef<Target>(null)
  useEffect(() => {
    if (document.activeElement === document.body) element.current?.focus({ preventScroll: true })
  }, [])
  return element
}
