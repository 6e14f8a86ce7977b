import { useEffect, useRef } from 'react'
import { usePreferences } from '../preferences'

/** What each key does, by its name. */
export type Shortcuts = Readonly<Record<string, () => void>>

/** Where keys have a meaning of their own. */
const ELSEWHERE = 'input, textarea, select, [contenteditable], [role=dialog], [role=menu], [role=listbox]'

/** Have single keys do something, unless somebody is typing or does not want them to. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const { keys } = usePreferences()
  const latest = useRef(shortcuts)
  useEffect(() => {
    latest.current = shortcuts
  })
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const isOurs = !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing
      if (!isOurs || (event.target instanceof Element && event.target.closest(ELSEWHERE))) return
      const isSingle = event.key.length === 1
      const act =
        Object.hasOwn(latest.current, event.key) && (keys || !isSingle) ? latest.current[event.key] : undefined
      if (!act) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [keys])
}
